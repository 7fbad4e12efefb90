//! What a rotation of passwords can be told, apart from the secret.

pub use crate::database::Timeouts;
use crate::password::PasswordPolicy;
use crate::tls::CaCertificates;

/// Settings of the rotators in this module.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::rabbitmq::{EXCLUDED_CHARACTERS, RabbitMqSettings};
///
/// let policy = PasswordPolicy::new(&PasswordRules {
///     exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
///     ..PasswordRules::default()
/// })?;
/// let settings = RabbitMqSettings::new(policy);
/// assert_eq!(settings.timeouts.login.as_secs(), 5);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RabbitMqSettings {
    /// The rules of new passwords.
    pub password: PasswordPolicy,
    /// Trusted instead of the public authorities, unless the secret has a `ca_certificate`.
    pub ca_certificate: Option<CaCertificates>,
    /// How long the broker may take: for a login, and, as `statement`, for one request to its API.
    pub timeouts: Timeouts,
}

impl RabbitMqSettings {
    /// Default settings with these rules for passwords.
    pub fn new(password: PasswordPolicy) -> Self {
        Self {
            password,
            ca_certificate: None,
            timeouts: Timeouts::default(),
        }
    }
}
