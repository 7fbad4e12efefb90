//! What a server's error numbers mean. Its words are never read: they are translated, and quote statements.
//!
//! The numbers are those of "Database engine events and errors" in Microsoft's documentation, and of
//! `sys.messages`.

use std::fmt;

use secrets_core::rotator::RotatorError;
use tiberius::error::{Error, IoErrorKind};

use crate::database;
pub(super) use crate::database::Role;

/// The server that is talked to, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) role: Role,
}

/// Numbers that decide what happens next.
pub(super) mod code {
    pub(crate) const LOGIN_FAILED: u32 = 18_456;
    pub(crate) const NO_LOGIN_OR_RIGHT: u32 = 15_151;
    pub(crate) const NAME_TAKEN: u32 = 15_023;
    pub(crate) const LOGIN_TAKEN: u32 = 15_025;
    pub(crate) const OTHER_USER: u32 = 15_063;
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.host, self.port, self.role)
    }
}

impl Peer {
    /// A time-out; `what` is what did not happen in time.
    pub(super) fn silent(&self, what: &str) -> RotatorError {
        database::silent(self, what)
    }

    /// The connection ended; `when` says in the middle of what.
    pub(super) fn broken(&self, when: &str) -> RotatorError {
        database::broken(self, when)
    }

    /// Something else listens there.
    pub(super) fn not_understood(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "what answers at {self} does not speak TDS 7 as we do; check `host` and `port`, and that the \
             server does not insist on TDS 8 (\"strict\" encryption)"
        ))
    }

    fn elsewhere(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "{self} sends its clients to another address; set `host` and `port` to that of the server itself"
        ))
    }
}

/// What is told apart in an error of the driver.
enum Fault {
    Server {
        code: u32,
        ends_connection: bool,
    },
    Elsewhere,
    /// The connection ended.
    Broken,
    Garbled,
}

impl Fault {
    fn of(error: &Error) -> Self {
        match error {
            Error::Server(token) => Self::Server {
                code: token.code(),
                // "Database engine error severities": from 20 on the connection is gone.
                ends_connection: token.class() >= 20,
            },
            Error::Routing { .. } => Self::Elsewhere,
            Error::Io { kind, .. } if *kind != IoErrorKind::InvalidData => Self::Broken,
            _ => Self::Garbled,
        }
    }
}

/// What an error means for a login: `Ok` says that the credential is wrong.
pub(super) fn at_login(error: &Error, peer: &Peer) -> Result<(), RotatorError> {
    Err(match Fault::of(error) {
        Fault::Server { code, .. } if code == code::LOGIN_FAILED => return Ok(()),
        Fault::Server { code, .. } => refused_login(code, peer).with_code(code.to_string()),
        Fault::Elsewhere => peer.elsewhere(),
        Fault::Broken => peer.broken("during the login"),
        Fault::Garbled => peer.not_understood(),
    })
}

fn refused_login(code: u32, peer: &Peer) -> RotatorError {
    match code {
        18_470 => RotatorError::refused(format!(
            "the login at {peer} is disabled; ALTER LOGIN .. ENABLE, once it is known why it was"
        )),
        18_486 | 15_113 => RotatorError::refused(format!(
            "{peer} has locked the login after wrong passwords; find out who sends them, then ALTER LOGIN .. \
             WITH PASSWORD = .. UNLOCK with the password that AWSCURRENT holds"
        )),
        18_487 => RotatorError::refused(format!(
            "the password of the login at {peer} has expired; give it a new one by ALTER LOGIN, write it into \
             the secret, and rotate more often than passwords expire (CHECK_EXPIRATION)"
        )),
        18_488 => RotatorError::refused(format!(
            "{peer} wants the password of the login changed at its first use (MUST_CHANGE); give it another \
             one by ALTER LOGIN without that, and write it into the secret"
        )),
        4060 | 916 => RotatorError::refused(format!(
            "the user may not use the database `dbname` at {peer}, or there is none of that name; CREATE USER \
             .. FOR LOGIN there, or correct `dbname`"
        )),
        4064 => RotatorError::refused(format!(
            "the default database of the login at {peer} cannot be opened; ALTER LOGIN .. WITH \
             DEFAULT_DATABASE"
        )),
        17_892 => RotatorError::refused(format!(
            "a logon trigger of {peer} refuses the login; let it pass the function's logins"
        )),
        _ => no_service(code, peer).unwrap_or_else(|| {
            RotatorError::refused(format!(
                "{peer} refuses the login; look the number up in Microsoft's list of database engine errors"
            ))
        }),
    }
}

/// Numbers that say that the server cannot serve anyone at the moment.
fn no_service(code: u32, peer: &Peer) -> Option<RotatorError> {
    match code {
        17_809 | 10_928 | 10_929 => Some(RotatorError::unreachable(format!(
            "{peer} has no connection left; try again later, or raise `user connections`"
        ))),
        // Memory; deadlock and lock time-out; shutdown, pause, upgrade, one user only; databases that come up,
        // are restored, offline, or another server's at the moment.
        701
        | 802
        | 1204
        | 1205
        | 1222
        | 6005
        | 6006
        | 17_142
        | 18_401
        | 18_451
        | 18_461
        | 921..=927
        | 942
        | 952
        | 976
        | 983
        | 40_197
        | 40_501
        | 40_613 => Some(RotatorError::unreachable(format!(
            "{peer} cannot serve at the moment (starting, stopping, overloaded, or busy with another \
                 change); try again later"
        ))),
        _ => None,
    }
}

/// Why a statement did not come to its end.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The server refused it.
    Refused(u32),
    /// No answer: it may have had its effect.
    Broken(RotatorError),
}

impl SessionError {
    pub(super) fn new(error: &Error, peer: &Peer) -> Self {
        match Fault::of(error) {
            Fault::Server {
                code,
                ends_connection,
            } => match no_service(code, peer) {
                Some(fault) => Self::Broken(fault.with_code(code.to_string())),
                None if ends_connection => Self::Broken(
                    peer.broken("during a statement")
                        .with_code(code.to_string()),
                ),
                None => Self::Refused(code),
            },
            _ => Self::Broken(peer.broken("during a statement")),
        }
    }

    /// What it means where nobody but us is to blame, or the server.
    pub(super) fn of_statement(self, peer: &Peer) -> RotatorError {
        self.explained(peer, |_| None)
    }

    /// What it means; `explain` knows the numbers of the statement.
    pub(super) fn explained(
        self,
        peer: &Peer,
        explain: impl FnOnce(u32) -> Option<RotatorError>,
    ) -> RotatorError {
        let code = match self {
            Self::Broken(fault) => return fault,
            Self::Refused(code) => code,
        };
        let fault = match code {
            3906 | 978 => Some(RotatorError::misconfigured(format!(
                "a database of {peer} is read-only, or the server is a replica; set `host` to the primary, or \
                 take the users of the pair out of that database"
            ))),
            _ => explain(code),
        };
        let fault = fault.unwrap_or_else(|| {
            RotatorError::refused(format!(
                "{peer} refuses a statement; look the number up in Microsoft's list of database engine errors"
            ))
        });
        fault.with_code(code.to_string())
    }
}

/// Numbers with which a server refuses a new password by its own rules (`CHECK_POLICY`): those of Windows, or of
/// the server where there is none.
pub(super) fn rejected(code: u32, peer: &Peer) -> Option<RotatorError> {
    let policy = match code {
        15_114 => {
            return Some(RotatorError::refused(format!(
                "{peer} lets the password be changed again later only (minimum password age); rotate less \
                 often, or let an admin change it (`masterarn`)"
            )));
        }
        15_115 => "it may not be used at this time (password history)",
        15_116 => "it is too short",
        15_117 => "it is too long",
        15_118 => "it is not complex enough",
        15_119 => "a password filter of the machine refuses it",
        _ => return None,
    };
    Some(RotatorError::rejected_by_target(format!(
        "the new password does not meet the policy of {peer} (CHECK_POLICY): {policy}; fit the rules of the \
         function to it"
    )))
}

/// Numbers that say that a right is missing.
pub(super) fn is_missing_right(code: u32) -> bool {
    matches!(
        code,
        229 | 230 | 262 | 297 | 300 | 916 | 4613 | 15_151 | 15_247
    )
}

#[cfg(test)]
mod tests {
    use secrets_core::rotator::RotatorErrorKind as Kind;

    use super::*;

    const PEER: Peer = Peer {
        host: String::new(),
        port: 1433,
        role: Role::Own,
    };

    #[test]
    fn refused_logins_are_told_apart() {
        for (code, kind, word) in [
            (18_470, Kind::Refused, "ENABLE"),
            (18_486, Kind::Refused, "UNLOCK"),
            (18_487, Kind::Refused, "expired"),
            (18_488, Kind::Refused, "MUST_CHANGE"),
            (4060, Kind::Refused, "`dbname`"),
            (4064, Kind::Refused, "DEFAULT_DATABASE"),
            (17_892, Kind::Refused, "trigger"),
            (17_809, Kind::Unreachable, "connection left"),
            (18_401, Kind::Unreachable, "at the moment"),
            (40_613, Kind::Unreachable, "at the moment"),
            (1, Kind::Refused, "look the number up"),
        ] {
            let fault = refused_login(code, &PEER);
            assert_eq!(fault.kind(), kind, "{code}");
            assert!(fault.to_string().contains(word), "{fault}");
        }
    }

    #[test]
    fn each_policy_is_named() {
        for (code, word) in [
            (15_115, "history"),
            (15_116, "too short"),
            (15_117, "too long"),
            (15_118, "complex"),
            (15_119, "filter"),
        ] {
            let fault = rejected(code, &PEER).expect("a policy");
            assert_eq!(fault.kind(), Kind::RejectedByTarget);
            assert!(fault.to_string().contains(word), "{fault}");
        }
        let fault = rejected(15_114, &PEER).expect("a policy");
        assert_eq!(
            fault.kind(),
            Kind::Refused,
            "another one would fare the same"
        );
        assert!(rejected(15_151, &PEER).is_none());
    }
}
