//! What it means when a step in the making of a pair is refused, and who must act.

use secrets_core::rotator::RotatorError;
use tokio_postgres::error::SqlState;

use super::error::{Peer, SessionError};
use crate::postgres_wire::{Ident, Sql};

/// Which part of the work a statement belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Looking at roles and rights.
    Look,
    /// Making a role, renaming one, or membership within the pair.
    Make,
    Attributes,
    Settings,
    Memberships,
}

impl SessionError {
    pub(super) fn of_stage(self, stage: Stage, peer: &Peer) -> RotatorError {
        let code = match self {
            Self::Broken(fault) => return fault,
            Self::Refused(_) if stage == Stage::Look => return self.of_statement(peer),
            Self::Refused(code) => code,
        };
        let fault = match code {
            SqlState::READ_ONLY_SQL_TRANSACTION => RotatorError::misconfigured(format!(
                "{peer} is a replica, which takes no changes; set `host` to the primary (the cluster's \
                 writer endpoint)"
            )),
            // Two functions at once: the other one has made the role.
            SqlState::DUPLICATE_OBJECT | SqlState::UNIQUE_VIOLATION => {
                RotatorError::unreachable(format!(
                    "somebody else makes the same role at {peer} at this moment; try again later"
                ))
            }
            SqlState::INSUFFICIENT_PRIVILEGE => RotatorError::refused(missing_right(stage, peer)),
            _ => RotatorError::refused(format!(
                "{peer} refuses a step in the making of the second user; nothing was changed; look the \
                 code up in the PostgreSQL manual, appendix A"
            )),
        };
        fault.with_code(code.code())
    }
}

fn missing_right(stage: Stage, peer: &Peer) -> String {
    let remedy = match stage {
        Stage::Look | Stage::Make => {
            "may not make or change the users of the pair: grant the admin CREATEROLE and, from PostgreSQL \
             16 on, the users WITH ADMIN TRUE; an admin that is no superuser cannot change superusers"
        }
        Stage::Attributes => {
            "may not give the second user the attributes of the first: give the admin those attributes \
             (before PostgreSQL 16 some need a superuser), or give both users the same"
        }
        Stage::Settings => {
            "may not give the second user a setting (ALTER ROLE .. SET) of the first: GRANT SET ON \
             PARAMETER to the admin, or let a superuser give both users the same settings"
        }
        Stage::Memberships => {
            "may not give the second user the memberships of the first: grant the admin those roles WITH \
             ADMIN OPTION, or give both users the same memberships"
        }
    };
    format!("{peer} {remedy}; nothing was changed")
}

/// The statement that gives an admin what it needs, for those who may run it.
pub(super) fn grant_to_admin(role: &str) -> String {
    let grant = Sql::new("GRANT ").ident(Ident(role));
    let options = " TO the admin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";
    grant.text(options).expose().to_owned()
}
