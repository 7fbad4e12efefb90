//! Settings of the rotators of SQL Server users.

use rotators::sqlserver::{self, PairSettings, SqlServerSettings};

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

/// What a rotation between two SQL Server users is told besides: `ALTERNATE_SUFFIX`.
pub fn sqlserver_pair(env: &mut Environment) -> Option<PairSettings> {
    super::mysql_pair(env)
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
        for variables in [&[][..], &[("EXCLUDE_CHARACTERS", "")]] {
            let settings = read(variables, sqlserver).expect("settings");
            assert_eq!(settings.password, policy);
            assert!(settings.ca_certificate.is_none());
            assert_eq!(read(variables, sqlserver_pair), Ok(PairSettings::default()));
        }
    }

    #[test]
    fn a_suffix_is_checked() {
        let pair = read(&[("ALTERNATE_SUFFIX", "_b")], sqlserver_pair);
        assert_eq!(pair, Ok(PairSettings::with_suffix("_b").expect("a suffix")));
        let long = &[("ALTERNATE_SUFFIX", "sentinel sentinel sentinel")];
        let fault = read(long, sqlserver_pair).expect_err("too long");
        assert!(fault.starts_with("`ALTERNATE_SUFFIX`: "), "{fault}");
        assert!(!fault.contains("sentinel"));
    }
}
