//! Settings of the rotator of entries of directories.

use rotators::ldap::{self, LdapSettings, PasswordScheme};

use super::{ca_certificate, password};
use crate::environment::Environment;

/// What a rotation of passwords in directories is told, besides the secret: the seven settings of a password,
/// `PASSWORD_SCHEME` and `CA_CERTIFICATE`.
pub fn ldap(env: &mut Environment) -> Option<LdapSettings> {
    let password = password(env, ldap::EXCLUDED_CHARACTERS);
    let schemes = [
        ("ssha", PasswordScheme::Ssha),
        ("ssha512", PasswordScheme::Ssha512),
        ("plain", PasswordScheme::Plain),
    ];
    let password_scheme = env.choice("PASSWORD_SCHEME", schemes);
    let ca_certificate = ca_certificate(env);

    let mut settings = LdapSettings::new(password?);
    settings.password_scheme = password_scheme;
    settings.ca_certificate = ca_certificate;
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scheme: &'static str) -> Result<LdapSettings, String> {
        let mut env = Environment::from(move |name: &str| {
            (name == "PASSWORD_SCHEME").then(|| scheme.to_owned())
        });
        let settings = ldap(&mut env);
        env.finish(settings).map_err(|faults| faults.to_string())
    }

    #[test]
    fn passwords_are_hashed_unless_that_is_off() {
        for (word, expected) in [
            ("", PasswordScheme::Ssha),
            ("ssha", PasswordScheme::Ssha),
            ("ssha512", PasswordScheme::Ssha512),
            ("plain", PasswordScheme::Plain),
        ] {
            let scheme = read(word).map(|settings| settings.password_scheme);
            assert_eq!(scheme, Ok(expected));
        }
        let fault = read("rot13").expect_err("no such word");
        assert!(
            fault.contains("`PASSWORD_SCHEME` must be ssha or ssha512 or plain"),
            "{fault}"
        );
    }
}
