//! Settings of the rotators of MySQL and MariaDB users.

use rotators::mysql::{self, MySqlSettings, OldPassword};

use super::{ca_certificate, password};
use crate::environment::Environment;

/// What a rotation of MySQL and MariaDB passwords is told, besides the secret: the seven settings of a
/// password and `CA_CERTIFICATE`.
pub fn mysql(env: &mut Environment) -> Option<MySqlSettings> {
    let password = password(env, mysql::EXCLUDED_CHARACTERS);
    let ca_certificate = ca_certificate(env);

    let mut settings = MySqlSettings::new(password?);
    settings.ca_certificate = ca_certificate;
    Some(settings)
}

/// `OLD_PASSWORD_KEPT`: how long the old password of a user that keeps its name works; `until_next_rotation`, which
/// is the default, `until_promotion`, `if_possible` or `never`.
pub fn old_password(env: &mut Environment) -> OldPassword {
    let choices = [
        ("until_next_rotation", OldPassword::UntilNextRotation),
        ("until_promotion", OldPassword::UntilPromotion),
        ("if_possible", OldPassword::KeptIfPossible),
        ("never", OldPassword::Replaced),
    ];
    env.choice("OLD_PASSWORD_KEPT", choices)
}

#[cfg(test)]
mod tests {
    use rotators::password::{PasswordPolicy, PasswordRules};

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
    fn absent_and_empty_variables_have_the_defaults_of_awss_functions() {
        let rules = PasswordRules {
            exclude_characters: "/@\"'\\".to_owned(),
            ..PasswordRules::default()
        };
        let policy = PasswordPolicy::new(&rules).expect("rules");
        for variables in [
            &[][..],
            &[("EXCLUDE_CHARACTERS", ""), ("OLD_PASSWORD_KEPT", "")],
        ] {
            let settings = read(variables, mysql).expect("settings");
            assert_eq!(settings.password, policy);
            assert!(settings.ca_certificate.is_none());
            let old = read(variables, |env| Some(old_password(env)));
            assert_eq!(old, Ok(OldPassword::UntilNextRotation));
        }
    }

    #[test]
    fn each_choice_has_its_word() {
        let old = |variables| read(variables, |env| Some(old_password(env)));
        for (variables, expected) in [
            (
                &[("OLD_PASSWORD_KEPT", "until_promotion")],
                OldPassword::UntilPromotion,
            ),
            (
                &[("OLD_PASSWORD_KEPT", "if_possible")],
                OldPassword::KeptIfPossible,
            ),
            (&[("OLD_PASSWORD_KEPT", "never")], OldPassword::Replaced),
        ] {
            assert_eq!(old(variables), Ok(expected));
        }
        let fault = old(&[("OLD_PASSWORD_KEPT", "sentinel")]).expect_err("no such word");
        assert!(fault.starts_with("`OLD_PASSWORD_KEPT` must be until_next_rotation or"));
        assert!(!fault.contains("sentinel"));
    }
}
