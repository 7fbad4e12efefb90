//! Settings of the rotators of `RabbitMQ` users.

use rotators::rabbitmq::{self, RabbitMqSettings};

use super::{Strategy, ca_certificate, password};
use crate::environment::Environment;

/// What a rotation of `RabbitMQ` passwords is told, besides the secret: the seven settings of a password and
/// `CA_CERTIFICATE`.
pub fn rabbitmq(env: &mut Environment) -> Option<RabbitMqSettings> {
    let password = password(env, rabbitmq::EXCLUDED_CHARACTERS);
    let ca_certificate = ca_certificate(env);

    let mut settings = RabbitMqSettings::new(password?);
    settings.ca_certificate = ca_certificate;
    Some(settings)
}

/// `STRATEGY`: `alternating_users`, which is the default here since a user has one password, or `single_user`,
/// with a gap.
pub fn rabbitmq_strategy(env: &mut Environment) -> Strategy {
    let strategies = [
        ("alternating_users", Strategy::AlternatingUsers),
        ("single_user", Strategy::SingleUser),
    ];
    env.choice("STRATEGY", strategies)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(variables: &'static [(&str, &str)]) -> Environment {
        Environment::from(|name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn two_users_are_the_default() {
        for (variables, expected) in [
            (&[][..], Strategy::AlternatingUsers),
            (&[("STRATEGY", "")], Strategy::AlternatingUsers),
            (
                &[("STRATEGY", "alternating_users")],
                Strategy::AlternatingUsers,
            ),
            (&[("STRATEGY", "single_user")], Strategy::SingleUser),
        ] {
            let mut env = env(variables);
            assert_eq!(rabbitmq_strategy(&mut env), expected);
            assert!(rabbitmq(&mut env).is_some());
        }
    }

    #[test]
    fn faults_name_their_variable() {
        let mut env = env(&[("STRATEGY", "sentinel"), ("CA_CERTIFICATE", "sentinel.pem")]);
        rabbitmq_strategy(&mut env);
        let settings = rabbitmq(&mut env);
        let faults = env
            .finish(settings.map(drop))
            .expect_err("faults")
            .to_string();
        for name in ["`STRATEGY`", "`CA_CERTIFICATE`"] {
            assert!(faults.contains(name), "{faults}");
        }
    }
}
