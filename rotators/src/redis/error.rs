//! What a server's answers mean. Its words are never repeated: they quote what it was sent.

use std::fmt;

use secrets_core::rotator::RotatorError;

use super::credential::Node;
use super::resp::Refusal;
use crate::database;
pub(super) use crate::database::Role;

/// The server that is talked to, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) node: Node,
    pub(super) role: Role,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.node, self.role)
    }
}

impl Peer {
    /// A time-out; `what` is what did not happen in time.
    pub(super) fn silent(&self, what: &str) -> RotatorError {
        database::silent(self, what)
    }

    /// No handshake in time: mostly a server that waits for the end of a command.
    pub(super) fn no_handshake(&self) -> RotatorError {
        RotatorError::unreachable(format!(
            "{self} did not answer to TLS in time; check that this is its `tls-port`, or set `\"ssl\": false` \
             in the secret to send passwords unprotected; else check the load of the server"
        ))
    }

    /// The connection ended.
    pub(super) fn broken(&self) -> RotatorError {
        RotatorError::unreachable(format!(
            "{self} closed the connection; check that it is up, that it has connections left \
             (`maxclients`), and that `ssl` fits the port, then try again"
        ))
    }

    /// Something else listens there.
    pub(super) fn not_redis(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "what answers at {self} does not speak the protocol of Redis; check `host`, `port` and `ssl`"
        ))
    }

    /// What the refusal of a login means: `Ok` says that the credential is wrong.
    pub(super) fn at_login(&self, refusal: Refusal) -> Result<(), RotatorError> {
        match refusal {
            Refusal::WrongPassword => Ok(()),
            Refusal::Other | Refusal::Unknown => Err(RotatorError::refused(format!(
                "{self} does not take a login with user and password; it must be Redis from version 7 on, \
                 or Valkey"
            ))
            .with_code(refusal.code())),
            _ => Err(self.refused(refusal)),
        }
    }

    /// What the refusal of any other command means.
    pub(super) fn refused(&self, refusal: Refusal) -> RotatorError {
        let fault = match refusal {
            Refusal::NotAllowed => match self.role {
                Role::Own => RotatorError::refused(format!(
                    "the user may not change itself at {self}; add `masterarn`, the secret of an admin, to \
                     the secret"
                )),
                Role::Admin => RotatorError::refused(format!(
                    "{self} may not change users; give the admin +acl|getuser, +acl|setuser and +acl|save"
                )),
            },
            Refusal::NotNow(_) => RotatorError::unreachable(format!(
                "{self} cannot serve at the moment (loading, busy, or without its primary); try again later"
            )),
            Refusal::Full => RotatorError::unreachable(format!(
                "{self} has no connection left; try again later, or raise `maxclients`"
            )),
            Refusal::ProtectedMode => RotatorError::refused(format!(
                "{self} is in protected mode and serves its own machine only; give its user `default` a \
                 password, or set `protected-mode no` there"
            )),
            Refusal::Unknown => RotatorError::refused(format!(
                "{self} has no command ACL; managed services change users with an API of their own, which \
                 takes another rotator"
            )),
            Refusal::WrongPassword | Refusal::NoAclFile | Refusal::Other => {
                RotatorError::refused(format!(
                    "{self} refuses a command that it should take; report this with the server's version"
                ))
            }
        };
        fault.with_code(refusal.code())
    }
}

/// What it means that a server refuses to write its file of users.
pub(super) fn unsaved(peer: &Peer, refusal: Refusal) -> RotatorError {
    match refusal {
        Refusal::Other => RotatorError::refused(format!(
            "{peer} cannot write its file of users (`aclfile`), so a restart would bring the old passwords \
             back; let the server write to the folder of that file"
        ))
        .with_code(refusal.code()),
        _ => peer.refused(refusal),
    }
}
