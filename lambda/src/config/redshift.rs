//! Settings of the rotators of Amazon Redshift users.

use rotators::redshift::{self, PasswordHash, RedshiftSettings};

use super::{ca_certificate, password_rules};
use crate::environment::Environment;

/// What a rotation of Redshift passwords is told, besides the secret: the seven settings of a password,
/// `PASSWORD_HASH`, `PASSWORD_VALID_DAYS` and `CA_CERTIFICATE`.
pub fn redshift(env: &mut Environment) -> Option<RedshiftSettings> {
    let rules = password_rules(env, redshift::EXCLUDED_CHARACTERS);
    let settings = RedshiftSettings::new(&rules).map_err(|faults| env.fault(faults.to_string()));
    let hashes = [
        ("same", PasswordHash::Same),
        ("md5", PasswordHash::Md5),
        ("sha256", PasswordHash::Sha256),
    ];
    let password_hash = env.choice("PASSWORD_HASH", hashes);
    let password_valid_days = env.number("PASSWORD_VALID_DAYS", 90, 1..=36_500);
    let ca_certificate = ca_certificate(env);

    let mut settings = settings.ok()?;
    settings.password_hash = password_hash;
    settings.password_valid_days = password_valid_days;
    settings.ca_certificate = ca_certificate;
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(
        variables: &'static [(&str, &str)],
        of: impl Fn(&mut Environment) -> Option<T>,
    ) -> Result<T, String> {
        let mut env = Environment::from(|name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let read = of(&mut env);
        env.finish(read).map_err(|faults| faults.to_string())
    }

    #[test]
    fn absent_and_empty_variables_have_defaults() {
        for variables in [
            &[][..],
            &[("EXCLUDE_CHARACTERS", ""), ("PASSWORD_HASH", "")],
        ] {
            let settings = read(variables, redshift).expect("settings");
            assert_eq!(settings.password_hash, PasswordHash::Same);
            assert_eq!(settings.password_valid_days, 90);
            assert!(settings.ca_certificate.is_none());
        }
    }

    #[test]
    fn each_choice_has_its_word() {
        for (variables, hash) in [
            (&[("PASSWORD_HASH", "md5")], PasswordHash::Md5),
            (&[("PASSWORD_HASH", "sha256")], PasswordHash::Sha256),
        ] {
            let settings = read(variables, redshift).expect("settings");
            assert_eq!(settings.password_hash, hash);
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let faults = read(
            &[
                ("PASSWORD_LENGTH", "100"),
                ("EXCLUDE_NUMBERS", "true"),
                ("PASSWORD_HASH", "sentinel"),
            ],
            redshift,
        );
        let faults = faults.expect_err("three faults");
        for words in [
            "8 to 64 characters",
            "a digit in every password",
            "must be same or md5 or sha256",
        ] {
            assert!(faults.contains(words), "{faults}");
        }
        assert!(!faults.contains("sentinel"), "{faults}");
    }
}
