//! Which two users take turns.

use secrecy::SecretString;
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::rotator::RotatorError;

use super::Login;

/// What is wrong with `usernames`.
pub(crate) const NO_PAIR: DocumentError = DocumentError::Unsuitable {
    key: "usernames",
    expected: "a list of two different users, one of which is `username`",
};

/// The key `usernames`: the user of the secret and another one. `name` checks each of them.
pub(crate) fn usernames(
    secret: &SecretDocument,
    username: &str,
    name: impl FnMut(SecretString) -> Result<String, DocumentError>,
) -> Result<Option<[String; 2]>, DocumentError> {
    let Some(names) = secret.optional_texts("usernames")? else {
        return Ok(None);
    };
    let names: Vec<_> = names.into_iter().map(name).collect::<Result<_, _>>()?;
    match <[String; 2]>::try_from(names) {
        Ok(both) if both[0] != both[1] && both.iter().any(|one| one == username) => Ok(Some(both)),
        _ => Err(NO_PAIR),
    }
}

/// The user without the suffix, whoever of the two is given.
pub(crate) fn base<'n>(username: &'n str, suffix: &str) -> &'n str {
    match username.strip_suffix(suffix) {
        Some(base) if !base.is_empty() => base,
        _ => username,
    }
}

/// The user that takes turns with the one of a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Partner {
    pub(crate) name: String,
    /// Whether the secret names both users (`usernames`): then neither is ever made.
    pub(crate) named: bool,
}

impl Partner {
    /// The other one of `usernames`, if the secret has that; else the user with the suffix, or without it.
    pub(crate) fn of(
        login: &Login,
        usernames: &Result<Option<[String; 2]>, DocumentError>,
        suffix: &str,
    ) -> Result<Self, RotatorError> {
        let username = &login.username;
        let named = usernames.as_ref();
        let named = named.map_err(|fault| RotatorError::misconfigured(fault.to_string()))?;
        if let Some([one, two]) = named {
            let other = if one == username { two } else { one };
            return Ok(Self {
                name: other.clone(),
                named: true,
            });
        }
        let base = base(username, suffix);
        let name = if base == username {
            format!("{username}{suffix}")
        } else {
            base.to_owned()
        };
        Ok(Self { name, named: false })
    }

    /// The same, unless its name has more of this unit than the server takes.
    pub(crate) fn at_most(
        self,
        longest: usize,
        unit: &str,
        length: impl FnOnce(&str) -> usize,
    ) -> Result<Self, RotatorError> {
        if length(&self.name) > longest {
            return Err(RotatorError::misconfigured(format!(
                "the name of the second user would be longer than {longest} {unit}; choose a shorter \
                 suffix, or name two users in the secret (`usernames`)"
            )));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::database::plain;

    fn partner(username: &str, suffix: &str, names: &Value) -> Result<Partner, String> {
        let secret = SecretDocument::from_text(&json!({"usernames": names}).to_string());
        let login = Login {
            username: username.to_owned(),
            password: "p".into(),
        };
        let both = usernames(&secret, username, |name| Ok(plain(name)));
        Partner::of(&login, &both, suffix).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_suffix_comes_and_goes() {
        for (one, two, suffix) in [
            ("app", "app_clone", "_clone"),
            ("app_clone", "app", "_clone"),
            ("app_clone_x", "app_clone_x_clone", "_clone"),
            ("app", "app b", " b"),
            ("_clone", "_clone_clone", "_clone"),
        ] {
            let found = partner(one, suffix, &Value::Null).expect(one);
            assert_eq!((found.name.as_str(), found.named), (two, false));
        }
    }

    #[test]
    fn both_users_can_be_named() {
        for (username, other) in [("a", "b"), ("b", "a")] {
            let found = partner(username, "_clone", &json!(["a", "b"])).expect(username);
            assert_eq!((found.name.as_str(), found.named), (other, true));
        }
        for wrong in [
            json!(["a"]),
            json!(["a", "a"]),
            json!(["b", "c"]),
            json!(["a", "b", "c"]),
            json!("a,b"),
            json!(["a", ""]),
        ] {
            let fault = partner("a", "_clone", &wrong).expect_err(&wrong.to_string());
            assert!(fault.contains("`usernames`"), "{wrong}: {fault}");
        }
    }
}
