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
