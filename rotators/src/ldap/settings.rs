//! What a rotation of passwords can be told, apart from the secret.

pub use crate::database::Timeouts;
use crate::password::PasswordPolicy;
use crate::tls::CaCertificates;

/// How a new password is put into `userPassword` (RFC 2307, section 5.3, calls it a scheme).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordScheme {
    /// `{SSHA}`, SHA-1 with a salt of 16 bytes: the one that every `slapd` knows without a module. A generated
    /// password has some 200 random bits, which no number of guesses finds, whatever the hash.
    #[default]
    Ssha,
    /// `{SSHA512}`, SHA-512 with a salt. The server must have loaded its module `pw-sha2`: one that has not
    /// refuses the password, which `testSecret` finds out.
    Ssha512,
    /// In clear text, inside the encrypted connection. For servers that must see it: password policies with
    /// `pwdCheckQuality: 2`. The server should hash it (`olcPPolicyHashCleartext: TRUE`); one that does not
    /// stores the password itself.
    Plain,
}

/// Settings of the rotators in this module.
///
/// ```
/// use rotators::ldap::{EXCLUDED_CHARACTERS, LdapSettings, PasswordScheme};
/// use rotators::password::{PasswordPolicy, PasswordRules};
///
/// let policy = PasswordPolicy::new(&PasswordRules {
///     exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
///     ..PasswordRules::default()
/// })?;
/// let mut settings = LdapSettings::new(policy);
/// settings.password_scheme = PasswordScheme::Ssha512;
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LdapSettings {
    /// The rules of new passwords.
    pub password: PasswordPolicy,
    /// How a new password reaches the server. Default: as a salted hash.
    pub password_scheme: PasswordScheme,
    /// Trusted instead of the built-in authorities, unless the secret has a `ca_certificate`.
    pub ca_certificate: Option<CaCertificates>,
    /// How long the server may take: for a login, and for one request.
    pub timeouts: Timeouts,
}

impl LdapSettings {
    /// Default settings with these rules for passwords.
    pub fn new(password: PasswordPolicy) -> Self {
        Self {
            password,
            password_scheme: PasswordScheme::default(),
            ca_certificate: None,
            timeouts: Timeouts::default(),
        }
    }
}
