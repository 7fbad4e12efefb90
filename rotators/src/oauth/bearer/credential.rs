//! What the two kinds of secret say, checked once.

use std::fmt;

use ring::digest;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;

use crate::web::percent::hex;

/// A bearer token, and the API key that it comes from.
pub struct BearerCredential {
    pub(super) token: SecretString,
    pub(super) master: SecretId,
    /// The other API key, where there are two.
    pub(super) other: Option<SecretId>,
    /// Of the token that the other key's next one replaces.
    pub(super) superseded: Option<Fingerprint>,
}

/// SHA-256 of a token in hex: tells tokens apart without being one.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Fingerprint(String);

impl Fingerprint {
    pub(super) fn of(token: &SecretString) -> Self {
        let hash = digest::digest(&digest::SHA256, token.expose_secret().as_bytes());
        Self(hex(hash.as_ref()))
    }

    pub(super) fn to_secret(&self) -> SecretString {
        SecretString::from(self.0.as_str())
    }
}

impl TryFrom<&SecretDocument> for BearerCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let master = secret_id(&secret.text("masterarn")?);
        let other = match secret.optional_texts("masterarns")? {
            None => None,
            Some(both) => Some(other(&both, &master)?),
        };
        let superseded = secret.optional_text("superseded_sha256")?;
        Ok(Self {
            token: token(secret)?,
            master,
            other,
            superseded: superseded.map(|hash| Fingerprint(hash.expose_secret().to_owned())),
        })
    }
}

/// `access_token`, which goes into a header as it is.
pub(super) fn token(secret: &SecretDocument) -> Result<SecretString, DocumentError> {
    let token = secret.text("access_token")?;
    if !token
        .expose_secret()
        .bytes()
        .all(|byte| byte.is_ascii_graphic())
    {
        return Err(DocumentError::WrongType {
            key: "access_token",
            expected: "visible ASCII characters without a space",
        });
    }
    Ok(token)
}

/// The one of both that is not `master`. What may change in a rotation is held to the list, which may not.
fn other(both: &[SecretString], master: &SecretId) -> Result<SecretId, DocumentError> {
    let both: Vec<_> = both.iter().map(secret_id).collect();
    match both.as_slice() {
        [one, two] if one == master && two != master => Ok(two.clone()),
        [one, two] if two == master && one != master => Ok(one.clone()),
        _ => Err(DocumentError::Unsuitable {
            key: "masterarns",
            expected: "a list of two different secrets, one of which is `masterarn`",
        }),
    }
}

fn secret_id(text: &SecretString) -> SecretId {
    SecretId::from(text.expose_secret())
}

/// What tokens are asked for with.
pub(super) struct ApiKey {
    pub(super) key: SecretString,
    pub(super) secret: SecretString,
    pub(super) owner: Option<Owner>,
}

/// The account that owns the app.
pub(super) struct Owner {
    pub(super) token: SecretString,
    pub(super) secret: SecretString,
}

impl TryFrom<&SecretDocument> for ApiKey {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            key: secret.text("consumer_key")?,
            secret: secret.text("consumer_secret")?,
            owner: match secret.optional_text("owner_token")? {
                None => None,
                Some(token) => Some(Owner {
                    token,
                    secret: secret.text("owner_token_secret")?,
                }),
            },
        })
    }
}

impl fmt::Debug for BearerCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerCredential")
            .field("master", &self.master)
            .field("other", &self.other)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BearerCredential, DocumentError> {
        BearerCredential::try_from(&SecretDocument::from_text(text))
    }

    #[test]
    fn one_key_or_two_that_take_turns() {
        let one =
            read(r#"{"access_token": "AA%2FB%3D", "token_type": "bearer", "masterarn": "a"}"#)
                .expect("a credential");
        assert_eq!(one.token.expose_secret(), "AA%2FB%3D", "to the letter");
        assert!(one.other.is_none());

        for (master, next) in [("a", "b"), ("b", "a")] {
            let text = format!(
                r#"{{"access_token": "sentinel", "masterarn": "{master}", "masterarns": ["a", "b"]}}"#
            );
            let two = read(&text).expect("a credential");
            assert_eq!(two.other, Some(SecretId::from(next)));
            assert_eq!(
                format!("{two:?}"),
                format!(
                    "BearerCredential {{ master: {:?}, other: Some({:?}), .. }}",
                    SecretId::from(master),
                    SecretId::from(next)
                )
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_key() {
        for (text, key) in [
            (r#"{"masterarn": "a"}"#, "access_token"),
            (r#"{"access_token": "t"}"#, "masterarn"),
            (
                r#"{"access_token": "a b", "masterarn": "a"}"#,
                "access_token",
            ),
            (
                r#"{"access_token": "a\r\nb", "masterarn": "a"}"#,
                "access_token",
            ),
            (
                r#"{"access_token": "t", "masterarn": "a", "masterarns": "a,b"}"#,
                "masterarns",
            ),
            (
                r#"{"access_token": "t", "masterarn": "a", "masterarns": ["a"]}"#,
                "masterarns",
            ),
            (
                r#"{"access_token": "t", "masterarn": "a", "masterarns": ["a", "a"]}"#,
                "masterarns",
            ),
            (
                r#"{"access_token": "t", "masterarn": "a", "masterarns": ["b", "c"]}"#,
                "masterarns",
            ),
            (
                r#"{"access_token": "t", "masterarn": "a", "masterarns": ["a", "b", "c"]}"#,
                "masterarns",
            ),
        ] {
            let fault = read(text).expect_err(text).to_string();
            assert!(fault.contains(&format!("`{key}`")), "{text}: {fault}");
        }
    }

    #[test]
    fn a_fingerprint_is_sha_256() {
        assert_eq!(
            Fingerprint::of(&SecretString::from("abc")).0,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
