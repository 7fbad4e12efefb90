//! What a server's codes mean here: those of the `PostgreSQL` manual, appendix A.

use secrets_core::rotator::RotatorError;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;

use super::settings::PasswordForm;
use crate::postgres_wire::Dialect;
pub(super) use crate::postgres_wire::{Peer, Role, SessionError};

/// How these servers are spoken of.
pub(super) const DIALECT: Dialect = Dialect {
    name: "PostgreSQL",
    account: "role",
    codes: "the PostgreSQL manual, appendix A",
    enable_tls: "enable it there (`ssl = on`)",
    login_methods: "let pg_hba.conf ask for scram-sha-256",
    wrong: "28P01",
    says_wrong: |refusal| *refusal.code == SqlState::INVALID_PASSWORD,
    refused_login,
    asks_for_digests: false,
};

fn refused_login(state: &SqlState, peer: &Peer, ssl: SslMode) -> Option<RotatorError> {
    if *state != SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        return None;
    }
    let plaintext = match ssl {
        SslMode::Disable => ", or remove `\"ssl\": false` where it asks for TLS",
        _ => "",
    };
    Some(RotatorError::refused(format!(
        "{peer} lets this role in from here under no condition; give it LOGIN, and a line in pg_hba.conf for \
         this function's network{plaintext}"
    )))
}

/// What it means for the statement that sets a password.
pub(super) fn of_change(fault: SessionError, peer: &Peer, form: PasswordForm) -> RotatorError {
    let state = match fault {
        SessionError::Broken(fault) => return fault,
        SessionError::Refused(state) => state,
    };
    let fault = match state {
        SqlState::INSUFFICIENT_PRIVILEGE => match peer.role {
            Role::Own => RotatorError::refused(format!(
                "the role may not change its own password at {peer}; add `masterarn`, the secret of an \
                 admin, to the secret"
            )),
            Role::Admin => RotatorError::refused(format!(
                "{peer} may not change the role's password; grant the admin CREATEROLE and, from \
                 PostgreSQL 16 on, the role WITH ADMIN TRUE"
            )),
        },
        SqlState::UNDEFINED_OBJECT => RotatorError::refused(format!(
            "there is no role `username` at {peer} any more; create it again"
        )),
        SqlState::READ_ONLY_SQL_TRANSACTION => RotatorError::misconfigured(format!(
            "{peer} is a replica, which takes no changes; set `host` to the primary (the cluster's \
             writer endpoint)"
        )),
        _ if is_verdict_on_value(&state) => RotatorError::rejected_by_target(match form {
            PasswordForm::Scram => format!(
                "{peer} does not take the new password as a SCRAM verifier; enable scram-sha-256 \
                     there, or set the password form to plain"
            ),
            PasswordForm::Plain => format!(
                "{peer} does not take the new password; fit the password rules of the function to \
                     those of the server"
            ),
        }),
        _ => RotatorError::refused(format!(
            "{peer} refuses to change the password; look the code up in the PostgreSQL manual, \
             appendix A"
        )),
    };
    fault.with_code(state.code())
}

/// Codes with which modules that check passwords refuse one: unsupported form (0A), bad value (22, 23),
/// a rule on credentials (28), an error raised by a function (P0).
fn is_verdict_on_value(state: &SqlState) -> bool {
    let class = state.code().get(..2).unwrap_or_default();
    ["0A", "22", "23", "28", "P0"].contains(&class)
}

#[cfg(test)]
mod tests;
