//! Which two users take turns.

use std::fmt;

pub(super) use crate::database::pair::Partner;
use crate::database::pair::base;

/// How the users of a pair are named, and how a new pair is made.
///
/// ```
/// use rotators::postgres::{PairLayout, PairSettings};
///
/// let mut pair = PairSettings::with_suffix("_b")?;
/// pair.layout = PairLayout::Member;
/// assert_eq!(PairSettings::default().layout, PairLayout::Owner);
/// # Ok::<(), rotators::postgres::InvalidSuffix>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairSettings {
    pub(super) suffix: String,
    /// How a new pair is made. A pair that is there keeps the layout that it has.
    pub layout: PairLayout,
}

/// How two users come to have the same rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PairLayout {
    /// A third role without a login has the rights and the objects. The first user is renamed to it, and
    /// made anew as a member of it; the second is a member, too. Sessions of both act as that role
    /// (`ALTER ROLE .. SET role`), which applications see as `current_user`.
    #[default]
    Owner,
    /// The second user is a member of the first, as AWS's rotation function makes it, and its sessions
    /// act as the first (`ALTER ROLE .. SET role`), so that what it makes belongs to the first.
    Member,
}

/// A suffix that makes no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the suffix of the second user must be 1 to 32 bytes long, without a zero byte")]
pub struct InvalidSuffix;

impl PairSettings {
    /// The second user is named like the first, and this at the end. Default: `_clone`, as AWS's
    /// functions have it.
    ///
    /// # Errors
    /// [`InvalidSuffix`].
    pub fn with_suffix(suffix: &str) -> Result<Self, InvalidSuffix> {
        if suffix.is_empty() || suffix.len() > 32 || suffix.contains('\0') {
            return Err(InvalidSuffix);
        }
        Ok(Self {
            suffix: suffix.to_owned(),
            layout: PairLayout::default(),
        })
    }

    /// The user without the suffix, whoever of the two is given.
    pub(super) fn base<'n>(&self, username: &'n str) -> &'n str {
        base(username, &self.suffix)
    }
}

impl Default for PairSettings {
    fn default() -> Self {
        Self {
            suffix: "_clone".to_owned(),
            layout: PairLayout::default(),
        }
    }
}

impl fmt::Debug for PairSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairSettings")
            .field("suffix", &self.suffix)
            .field("layout", &self.layout)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use secrets_core::document::SecretDocument;
    use serde_json::{Value, json};

    use super::super::credential::PostgresCredential;
    use super::*;

    fn partner(username: &str, usernames: &Value) -> Result<Partner, String> {
        let secret = json!({
            "engine": "postgres", "host": "h", "username": username, "password": "p",
            "usernames": usernames,
        });
        let secret = SecretDocument::from_text(&secret.to_string());
        let credential = PostgresCredential::try_from(&secret).expect("a credential");
        let partner = credential.0.partner(&PairSettings::default().suffix);
        partner.map_err(|fault| fault.to_string())
    }

    #[test]
    fn names_at_the_limit_of_63_bytes() {
        let longest = "a".repeat(57);
        let clone = format!("{longest}_clone");
        assert_eq!(partner(&longest, &Value::Null).map(|p| p.name), Ok(clone));
        // Bytes, not characters.
        for long in ["a".repeat(58), "ä".repeat(29), "€".repeat(20)] {
            let fault = partner(&long, &Value::Null).expect_err(&long);
            assert!(fault.contains("63 bytes"), "{fault}");
            assert!(!fault.contains(&long), "{fault}");
            let named = json!([long, "other"]);
            assert_eq!(partner(&long, &named).map(|p| p.name), Ok("other".into()));
        }
    }

    #[test]
    fn named_users_are_names_of_roles() {
        for wrong in [json!(["a", "b".repeat(64)]), json!(["a", "b\0"])] {
            let fault = partner("a", &wrong).expect_err(&wrong.to_string());
            assert!(fault.contains("`usernames`"), "{wrong}: {fault}");
        }
    }

    #[test]
    fn a_suffix_that_makes_no_name_is_refused() {
        for bad in ["", "a\0b", &"x".repeat(33)] {
            assert_eq!(PairSettings::with_suffix(bad), Err(InvalidSuffix));
        }
        assert_eq!(
            format!("{:?}", PairSettings::default()),
            r#"PairSettings { suffix: "_clone", layout: Owner }"#
        );
    }
}
