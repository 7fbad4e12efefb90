//! What a rotation of passwords can be told, apart from the secret.

pub use crate::database::Timeouts;
use crate::password::PasswordPolicy;
use crate::rds::AdminServers;
use crate::tls::CaCertificates;

/// What becomes of the old password of a user that keeps its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OldPassword {
    /// It works until the next rotation: no gap. `MySQL` from 8.0.14 on (dual passwords), `MariaDB` from 10.4
    /// on (two authentication methods).
    #[default]
    UntilNextRotation,
    /// It works until the new one is `AWSCURRENT`, which readers that cache the old one notice.
    UntilPromotion,
    /// As [`UntilNextRotation`](Self::UntilNextRotation) where the server can, else as
    /// [`Replaced`](Self::Replaced), with a warning: for a function that serves both. The profile declares
    /// the gap.
    KeptIfPossible,
    /// It is replaced in place: `AWSCURRENT` is refused from `setSecret` to `finishSecret`. For servers that
    /// keep one password.
    Replaced,
}

/// Settings of the rotators in this module.
///
/// ```
/// use rotators::mysql::{EXCLUDED_CHARACTERS, MySqlSettings};
/// use rotators::password::{PasswordPolicy, PasswordRules};
///
/// let policy = PasswordPolicy::new(&PasswordRules {
///     exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
///     ..PasswordRules::default()
/// })?;
/// let settings = MySqlSettings::new(policy);
/// assert_eq!(settings.timeouts.login.as_secs(), 5);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MySqlSettings {
    /// The rules of new passwords.
    pub password: PasswordPolicy,
    /// Trusted instead of the built-in authorities, unless the secret has a `ca_certificate`.
    pub ca_certificate: Option<CaCertificates>,
    /// Who is asked for the server of an admin's secret without a `host`. Default: nobody.
    pub admin_servers: AdminServers,
    /// How long the server may take.
    pub timeouts: Timeouts,
}

impl MySqlSettings {
    /// Default settings with these rules for passwords.
    pub fn new(password: PasswordPolicy) -> Self {
        Self {
            password,
            ca_certificate: None,
            admin_servers: AdminServers::default(),
            timeouts: Timeouts::default(),
        }
    }
}
