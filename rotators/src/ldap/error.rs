//! What a server's answers mean. Its words are never repeated: they may quote what it was sent.

use std::fmt;

use ldap3::{LdapError, LdapResult};
use secrets_core::rotator::RotatorError;

use super::policy::Objection;
use super::settings::PasswordScheme;
pub(super) use crate::database::Role;
use crate::{database, tls};

/// Result codes (RFC 4511, appendix A; RFC 4533 and others for the rest).
pub(super) mod code {
    pub(in crate::ldap) const SUCCESS: u32 = 0;
    pub(in crate::ldap) const REFERRAL: u32 = 10;
    pub(in crate::ldap) const NO_SUCH_ATTRIBUTE: u32 = 16;
    pub(in crate::ldap) const CONSTRAINT: u32 = 19;
    pub(in crate::ldap) const VALUE_EXISTS: u32 = 20;
    pub(in crate::ldap) const NO_SUCH_OBJECT: u32 = 32;
    pub(in crate::ldap) const INVALID_CREDENTIALS: u32 = 49;
    pub(in crate::ldap) const INSUFFICIENT_ACCESS: u32 = 50;
    pub(in crate::ldap) const UNWILLING: u32 = 53;
}

/// The server that is talked to, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) role: Role,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, role } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}{role}")
        } else {
            write!(f, "{host}:{port}{role}")
        }
    }
}

impl Peer {
    /// A time-out; `what` is what did not happen in time.
    pub(super) fn silent(&self, what: &str) -> RotatorError {
        database::silent(self, what)
    }

    /// Something else listens there.
    pub(super) fn not_ldap(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "what answers at {self} does not speak LDAP; check `host`, `port`, `ssl` and `start_tls`"
        ))
    }

    /// The connection was not made, or ended.
    pub(super) fn broken(&self, fault: &LdapError) -> RotatorError {
        use std::io::ErrorKind;
        match fault {
            LdapError::Io { source } => match source.get_ref().and_then(|it| it.downcast_ref()) {
                Some(fault) => tls::refusal(fault, self),
                // What the library says of bytes that are no message.
                None if source.kind() == ErrorKind::Other => self.not_ldap(),
                None => self.closed(),
            },
            LdapError::LdapResult { result } => self.no_start_tls(result),
            _ => self.closed(),
        }
    }

    fn closed(&self) -> RotatorError {
        RotatorError::unreachable(format!(
            "{self} closed the connection; check that it is up, and that `ssl` and `start_tls` fit the port, \
             then try again"
        ))
    }

    fn no_start_tls(&self, answer: &LdapResult) -> RotatorError {
        RotatorError::misconfigured(format!(
            "{self} offers no StartTLS; give it a certificate (`olcTLSCertificateFile`), or use LDAPS by \
             removing `start_tls` from the secret"
        ))
        .with_code(name(answer.rc))
    }

    /// What the refusal of a login means: `Ok` says that the credential is wrong.
    pub(super) fn at_login(&self, answer: &LdapResult) -> Result<(), RotatorError> {
        if let Some(objection) = Objection::in_answer(answer) {
            let fault = match objection {
                Objection::AccountLocked => format!(
                    "{self} has locked the entry after wrong passwords; find out who sends them, then remove its \
                     pwdAccountLockedTime"
                ),
                Objection::PasswordExpired => format!(
                    "the password of the entry at {self} has expired (pwdMaxAge); give it a new one as an admin, \
                     write that into the secret, and rotate more often than passwords expire"
                ),
                _ => return Err(self.refused(answer)),
            };
            return Err(RotatorError::refused(fault).with_code(objection.name()));
        }
        match answer.rc {
            code::INVALID_CREDENTIALS => Ok(()),
            _ => Err(self.refused(answer)),
        }
    }

    /// What the refusal of a change means.
    pub(super) fn at_change(&self, answer: &LdapResult, scheme: PasswordScheme) -> RotatorError {
        let Some(objection) = Objection::in_answer(answer) else {
            return match answer.rc {
                code::INSUFFICIENT_ACCESS => self.no_access().with_code(name(answer.rc)),
                _ => self.refused(answer),
            };
        };
        let fault = match (objection, scheme) {
            (Objection::InsufficientQuality, PasswordScheme::Ssha | PasswordScheme::Ssha512) => {
                RotatorError::misconfigured(format!(
                    "the password policy at {self} refuses hashed passwords (pwdCheckQuality: 2); set \
                     PASSWORD_SCHEME=plain, and let the server hash them (olcPPolicyHashCleartext: TRUE)"
                ))
            }
            (Objection::InsufficientQuality | Objection::TooShort | Objection::InHistory, _) => {
                RotatorError::rejected_by_target(format!(
                    "the password policy at {self} does not take this new password; check PASSWORD_LENGTH and the \
                 other settings of passwords"
                ))
            }
            (Objection::MustSupplyOldPassword, _) => RotatorError::misconfigured(format!(
                "the password policy at {self} lets no password be added beside another (pwdSafeModify: TRUE); \
                 give the entry a policy without that (pwdPolicySubentry)"
            )),
            (Objection::ModificationNotAllowed, _) => RotatorError::misconfigured(format!(
                "the password policy at {self} lets no entry change itself (pwdAllowUserChange: FALSE); add \
                 `masterarn`, the secret of an admin, to the secret"
            )),
            (Objection::TooYoung, _) => RotatorError::refused(format!(
                "the password policy at {self} does not let the password be changed again so soon (pwdMinAge); \
                 rotate less often, or give the entry a policy without that (pwdPolicySubentry)"
            )),
            _ => return self.refused(answer),
        };
        fault.with_code(objection.name())
    }

    /// Whoever logged in may not do that.
    pub(super) fn no_access(&self) -> RotatorError {
        match self.role {
            Role::Own => RotatorError::misconfigured(format!(
                "the entry may not read and change its own userPassword at {self}; grant that (olcAccess: to \
                 attrs=userPassword by self write by anonymous auth), or add `masterarn`, the secret of an \
                 admin, to the secret"
            )),
            Role::Admin => RotatorError::misconfigured(format!(
                "{self} may not read and change userPassword of the entry; grant that, before other rules \
                 (olcAccess: to attrs=userPassword by dn.exact=\"<username of masterarn>\" write by self write \
                 by anonymous auth)"
            )),
        }
    }

    /// What any other refusal means.
    pub(super) fn refused(&self, answer: &LdapResult) -> RotatorError {
        let fault = match answer.rc {
            3 | 11 | 51 | 52 => RotatorError::unreachable(format!(
                "{self} cannot serve at the moment (busy or unavailable); try again later"
            )),
            8 | 13 => RotatorError::misconfigured(format!(
                "{self} takes passwords on protected connections only; remove `\"ssl\": false` from the secret"
            )),
            code::REFERRAL => RotatorError::misconfigured(format!(
                "{self} is a replica, or does not hold the entry, and names another server; give that one as \
                 `host`"
            )),
            34 => RotatorError::misconfigured(format!(
                "`username` is no distinguished name for {self}; correct it, with special characters escaped \
                 as in RFC 4514"
            )),
            code::UNWILLING => RotatorError::refused(format!(
                "{self} is set up not to do this: simple binds or changes are turned off (olcDisallows, \
                 olcRestrict, olcReadOnly), or it is a replica without a referral; name a server that takes \
                 them as `host`"
            )),
            _ => RotatorError::refused(format!(
                "{self} refuses a request that it should take; look the code up in RFC 4511, appendix A, and \
                 the reason in the server's log"
            )),
        };
        fault.with_code(name(answer.rc))
    }
}

/// The name of a result code, as far as it is one that servers send to requests of ours.
pub(super) fn name(code: u32) -> String {
    let name = match code {
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        code::REFERRAL => "referral",
        11 => "adminLimitExceeded",
        13 => "confidentialityRequired",
        code::NO_SUCH_ATTRIBUTE => "noSuchAttribute",
        17 => "undefinedAttributeType",
        code::CONSTRAINT => "constraintViolation",
        code::VALUE_EXISTS => "attributeOrValueExists",
        21 => "invalidAttributeSyntax",
        code::NO_SUCH_OBJECT => "noSuchObject",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        code::INVALID_CREDENTIALS => "invalidCredentials",
        code::INSUFFICIENT_ACCESS => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        code::UNWILLING => "unwillingToPerform",
        65 => "objectClassViolation",
        80 => "other",
        other => return other.to_string(),
    };
    name.to_owned()
}
