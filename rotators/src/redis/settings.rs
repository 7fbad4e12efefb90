//! What a rotation of passwords can be told, apart from the secret.

use std::time::Duration;

use crate::password::PasswordPolicy;
use crate::tls::CaCertificates;

/// Whether a server is told to write its users to its file, `ACL SAVE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AclSave {
    /// Where it has one (`aclfile`). Where it has none, that is logged as a warning: it forgets the new
    /// password when it restarts, unless somebody writes it elsewhere.
    #[default]
    Auto,
    /// Never: somebody else keeps the users.
    Never,
}

/// How long a server may take. No call outlives the rotation step that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For everything up to a usable session: name, connection, TLS, login. Default 5 s.
    pub login: Duration,
    /// For the answer to one command. Default 10 s.
    pub command: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(5),
            command: Duration::from_secs(10),
        }
    }
}

/// Settings of the rotators in this module.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::redis::{AclSave, EXCLUDED_CHARACTERS, RedisSettings};
///
/// let policy = PasswordPolicy::new(&PasswordRules {
///     exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
///     ..PasswordRules::default()
/// })?;
/// let mut settings = RedisSettings::new(policy);
/// settings.acl_save = AclSave::Never;
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedisSettings {
    /// The rules of new passwords.
    pub password: PasswordPolicy,
    /// Whether servers are told to write their users to their file. Default: where they have one.
    pub acl_save: AclSave,
    /// Trusted instead of the built-in authorities, unless the secret has a `ca_certificate`.
    pub ca_certificate: Option<CaCertificates>,
    /// How long a server may take.
    pub timeouts: Timeouts,
}

impl RedisSettings {
    /// Default settings with these rules for passwords.
    pub fn new(password: PasswordPolicy) -> Self {
        Self {
            password,
            acl_save: AclSave::default(),
            ca_certificate: None,
            timeouts: Timeouts::default(),
        }
    }
}
