//! What a rotation of `PostgreSQL` passwords can be told, apart from the secret.

use super::CaCertificates;
pub use crate::database::Timeouts;
use crate::password::PasswordPolicy;
use crate::postgres_wire::Terms;
use crate::rds::AdminServers;

/// How a new password reaches the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordForm {
    /// As its SCRAM-SHA-256 verifier: statement logs, `pg_stat_activity` and `pg_stat_statements` hold no
    /// password. Any server since version 10 takes it, also where `pg_hba.conf` says `md5`.
    #[default]
    Scram,
    /// In clear text, inside the encrypted connection. For servers that must see it: modules that check
    /// password rules, RDS with `rds.restrict_password_commands`, and `password_encryption = md5` for
    /// clients that cannot do SCRAM. The server may write it to its logs.
    Plain,
}

/// Settings of the rotators in this module.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::postgres::{EXCLUDED_CHARACTERS, PasswordForm, PostgresSettings};
///
/// let policy = PasswordPolicy::new(&PasswordRules {
///     exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
///     ..PasswordRules::default()
/// })?;
/// let mut settings = PostgresSettings::new(policy);
/// settings.password_form = PasswordForm::Plain;
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresSettings {
    /// The rules of new passwords.
    pub password: PasswordPolicy,
    /// How a new password reaches the server. Default: as a verifier.
    pub password_form: PasswordForm,
    /// In days, at least 1. A role whose password expires (`VALID UNTIL`) gets at least this long with
    /// the new one; a role without such a date keeps none. Default 90.
    pub password_valid_days: u16,
    /// Trusted instead of the built-in authorities, unless the secret has a `ca_certificate`.
    pub ca_certificate: Option<CaCertificates>,
    /// Who is asked for the server of an admin's secret without a `host`. Default: nobody.
    pub admin_servers: AdminServers,
    /// How long the server may take.
    pub timeouts: Timeouts,
}

impl PostgresSettings {
    /// Default settings with these rules for passwords.
    pub fn new(password: PasswordPolicy) -> Self {
        Self {
            password,
            password_form: PasswordForm::default(),
            password_valid_days: 90,
            ca_certificate: None,
            admin_servers: AdminServers::default(),
            timeouts: Timeouts::default(),
        }
    }

    pub(super) fn terms(&self) -> Terms<'_> {
        Terms {
            timeouts: self.timeouts,
            ca: self.ca_certificate.as_ref(),
        }
    }
}
