//! What a rotation of passwords can be told, apart from the secret.

pub use crate::database::Timeouts;
use crate::password::PasswordPolicy;
use crate::rds::AdminServers;
use crate::tls::CaCertificates;

/// Settings of the rotators in this module.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::sqlserver::{EXCLUDED_CHARACTERS, SqlServerSettings};
///
/// let policy = PasswordPolicy::new(&PasswordRules {
///     exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
///     ..PasswordRules::default()
/// })?;
/// let settings = SqlServerSettings::new(policy);
/// assert_eq!(settings.timeouts.login.as_secs(), 5);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqlServerSettings {
    /// The rules of new passwords.
    pub password: PasswordPolicy,
    /// Trusted instead of the built-in authorities, unless the secret has a `ca_certificate`.
    pub ca_certificate: Option<CaCertificates>,
    /// Who is asked for the server of an admin's secret without a `host`. Default: nobody.
    pub admin_servers: AdminServers,
    /// How long the server may take.
    pub timeouts: Timeouts,
}

impl SqlServerSettings {
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
