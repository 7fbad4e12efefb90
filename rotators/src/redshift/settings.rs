//! What a rotation of Redshift passwords can be told, apart from the secret.

use super::CaCertificates;
use super::password::{PasswordHash, UnsuitableRules, policy};
pub use crate::database::Timeouts;
use crate::password::{PasswordPolicy, PasswordRules};
use crate::postgres_wire::Terms;

/// Settings of the rotators in this module.
///
/// ```
/// use rotators::password::PasswordRules;
/// use rotators::redshift::{PasswordHash, RedshiftSettings};
///
/// let mut settings = RedshiftSettings::new(&PasswordRules::default())?;
/// settings.password_hash = PasswordHash::Sha256;
/// # Ok::<(), rotators::redshift::UnsuitableRules>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedshiftSettings {
    /// Made from rules that Redshift's own rules allow.
    pub(super) password: PasswordPolicy,
    /// As what kind of hash Redshift keeps a new password. Default: as it keeps the present one.
    pub password_hash: PasswordHash,
    /// In days, at least 1. A user whose password expires (`VALID UNTIL`) gets at least this long with the new
    /// one; a user without such a date keeps none. Default 90.
    pub password_valid_days: u16,
    /// Trusted instead of the built-in authorities, unless the secret has a `ca_certificate`.
    pub ca_certificate: Option<CaCertificates>,
    /// How long the server may take.
    pub timeouts: Timeouts,
}

impl RedshiftSettings {
    /// Default settings with these rules for passwords. The characters that Redshift does not take are left
    /// out besides those that the rules exclude.
    ///
    /// # Errors
    /// [`UnsuitableRules`]: with these rules there may be passwords that Redshift does not take.
    pub fn new(rules: &PasswordRules) -> Result<Self, UnsuitableRules> {
        Ok(Self {
            password: policy(rules)?,
            password_hash: PasswordHash::default(),
            password_valid_days: 90,
            ca_certificate: None,
            timeouts: Timeouts::default(),
        })
    }

    pub(super) fn terms(&self) -> Terms<'_> {
        Terms {
            timeouts: self.timeouts,
            ca: self.ca_certificate.as_ref(),
        }
    }
}
