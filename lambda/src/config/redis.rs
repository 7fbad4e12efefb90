//! Settings of the rotator of Redis and Valkey users.

use rotators::redis::{self, AclSave, RedisSettings};

use super::{ca_certificate, password};
use crate::environment::Environment;

/// What a rotation of Redis and Valkey passwords is told, besides the secret: the seven settings of a
/// password, `ACL_SAVE` and `CA_CERTIFICATE`.
pub fn redis(env: &mut Environment) -> Option<RedisSettings> {
    let password = password(env, redis::EXCLUDED_CHARACTERS);
    let acl_save = env.choice(
        "ACL_SAVE",
        [("auto", AclSave::Auto), ("never", AclSave::Never)],
    );
    let ca_certificate = ca_certificate(env);

    let mut settings = RedisSettings::new(password?);
    settings.acl_save = acl_save;
    settings.ca_certificate = ca_certificate;
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(acl_save: &'static str) -> Result<RedisSettings, String> {
        let mut env =
            Environment::from(move |name: &str| (name == "ACL_SAVE").then(|| acl_save.to_owned()));
        let settings = redis(&mut env);
        env.finish(settings).map_err(|faults| faults.to_string())
    }

    #[test]
    fn users_are_saved_unless_that_is_off() {
        for (word, expected) in [
            ("", AclSave::Auto),
            ("auto", AclSave::Auto),
            ("never", AclSave::Never),
        ] {
            assert_eq!(read(word).map(|settings| settings.acl_save), Ok(expected));
        }
        let fault = read("sometimes").expect_err("no such word");
        assert!(
            fault.contains("`ACL_SAVE` must be auto or never"),
            "{fault}"
        );
    }
}
