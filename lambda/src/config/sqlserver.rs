//! Settings of the rotators of SQL Server users.

use rotators::sqlserver::{self, SqlServerSettings};

use super::{ca_certificate, password};
use crate::environment::Environment;

/// What a rotation of SQL Server passwords is told, besides the secret: the seven settings of a password and
/// `CA_CERTIFICATE`.
pub fn sqlserver(env: &mut Environment) -> Option<SqlServerSettings> {
    let password = password(env, sqlserver::EXCLUDED_CHARACTERS);
    let ca_certificate = ca_certificate(env);

    let mut settings = SqlServerSettings::new(password?);
    settings.ca_certificate = ca_certificate;
    Some(settings)
}

#[cfg(test)]
mod tests {
    use rotators::password::{PasswordPolicy, PasswordRules};

    use super::*;

    #[test]
    fn absent_and_empty_variables_have_the_defaults_of_awss_functions() {
        let rules = PasswordRules {
            exclude_characters: "/@\"'\\".to_owned(),
            ..PasswordRules::default()
        };
        let policy = PasswordPolicy::new(&rules).expect("rules");
        for value in [None, Some("")] {
            let mut env = Environment::from(move |name: &str| {
                value
                    .filter(|_| name == "EXCLUDE_CHARACTERS")
                    .map(str::to_owned)
            });
            let settings = sqlserver(&mut env);
            let settings = env.finish(settings).expect("settings");
            assert_eq!(settings.password, policy);
            assert!(settings.ca_certificate.is_none());
        }
    }
}
