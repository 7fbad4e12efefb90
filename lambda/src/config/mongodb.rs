//! Settings of the rotators of MongoDB and Amazon DocumentDB users.

use rotators::mongodb::{self, MongoDbSettings};

use super::{ca_certificate, password};
use crate::environment::Environment;

/// What a rotation of MongoDB and DocumentDB passwords is told, besides the secret: the seven settings of a
/// password and `CA_CERTIFICATE`.
pub fn mongodb(env: &mut Environment) -> Option<MongoDbSettings> {
    let password = password(env, mongodb::EXCLUDED_CHARACTERS);
    let ca_certificate = ca_certificate(env);

    let mut settings = MongoDbSettings::new(password?);
    settings.ca_certificate = ca_certificate;
    Some(settings)
}

#[cfg(test)]
mod tests {
    use rotators::password::{PasswordPolicy, PasswordRules};

    use super::*;

    fn read<T>(
        name: &'static str,
        value: &'static str,
        of: impl Fn(&mut Environment) -> Option<T>,
    ) -> Result<T, String> {
        let mut env =
            Environment::from(move |asked: &str| (asked == name).then(|| value.to_owned()));
        let read = of(&mut env);
        env.finish(read).map_err(|faults| faults.to_string())
    }

    #[test]
    fn absent_and_empty_variables_have_defaults() {
        let rules = PasswordRules {
            exclude_characters: ":/@\"'\\".to_owned(),
            ..PasswordRules::default()
        };
        let policy = PasswordPolicy::new(&rules).expect("rules");
        let settings = read("EXCLUDE_CHARACTERS", "", mongodb).expect("settings");
        assert_eq!(settings.password, policy);
        assert!(settings.ca_certificate.is_none());
    }

    #[test]
    fn an_authority_is_read() {
        let fault = read("CA_CERTIFICATE", "sentinel", mongodb).expect_err("no file of that name");
        assert!(fault.contains("`CA_CERTIFICATE`"), "{fault}");
        assert!(!fault.contains("sentinel"), "{fault}");
    }
}
