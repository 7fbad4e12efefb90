//! Values of `userPassword`: how a password is made into one, and whether one is a password's.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::event::VersionId;

use super::settings::PasswordScheme;

const SALT_LENGTH: usize = 16;

/// One value of `userPassword`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Stored(pub(super) Zeroizing<Vec<u8>>);

/// Whether a value is that of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    /// Its scheme is none of those that are known here; the server may know it.
    Unknown,
}

/// What is mixed into a hash. It comes from the rotation and the entry: two invocations of one rotation make the
/// same value, of which the server takes one, and no two rotations share it.
pub(super) struct Salt([u8; SALT_LENGTH]);

impl Salt {
    pub(super) fn of(version: &VersionId, entry: &str) -> Self {
        let mut context = Context::new(&SHA256);
        for part in ["userPassword", version.as_str(), entry] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut salt = [0; SALT_LENGTH];
        salt.copy_from_slice(&context.finish().as_ref()[..SALT_LENGTH]);
        Self(salt)
    }
}

impl Stored {
    /// The value that is sent.
    pub(super) fn new(scheme: PasswordScheme, password: &SecretString, salt: &Salt) -> Self {
        let password = password.expose_secret().as_bytes();
        let (name, algorithm) = match scheme {
            PasswordScheme::Ssha => ("{SSHA}", &SHA1_FOR_LEGACY_USE_ONLY),
            PasswordScheme::Ssha512 => ("{SSHA512}", &SHA512),
            PasswordScheme::Plain => return Self(Zeroizing::new(password.to_vec())),
        };
        let mut hash = salted(algorithm, password, &salt.0);
        hash.extend_from_slice(&salt.0);
        let text = format!("{name}{}", BASE64_STANDARD.encode(&hash));
        Self(Zeroizing::new(text.into_bytes()))
    }

    /// Whether this value is that of the password.
    pub(super) fn matches(&self, password: &SecretString) -> Match {
        let password = password.expose_secret().as_bytes();
        let Some((scheme, text)) = self.parts() else {
            return if *self.0 == *password {
                Match::Yes
            } else {
                Match::No
            };
        };
        let Some((algorithm, salt_allowed)) = known(scheme) else {
            return Match::Unknown;
        };
        let Ok(bytes) = BASE64_STANDARD.decode(text) else {
            return Match::Unknown;
        };
        let Some((hash, salt)) = bytes.split_at_checked(algorithm.output_len()) else {
            return Match::Unknown;
        };
        if !salt_allowed && !salt.is_empty() {
            return Match::Unknown;
        }
        if hash == salted(algorithm, password, salt) {
            Match::Yes
        } else {
            Match::No
        }
    }

    /// Whether the server asks somebody else for the password (`{SASL}name`).
    pub(super) fn is_kept_elsewhere(&self) -> bool {
        self.parts()
            .is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(b"SASL"))
    }

    /// Whether it is a hash that cannot be told from others here.
    pub(super) fn is_unknown(&self) -> bool {
        // Any password does: an unknown scheme is one for all of them.
        self.matches(&SecretString::default()) == Match::Unknown
    }

    /// Whether the server takes it for a hash.
    pub(super) fn looks_hashed(&self) -> bool {
        self.parts().is_some()
    }

    /// `{scheme}` and what is behind it. A value that begins so is never a password in clear text to the server
    /// (its function `lutil_passwd`).
    fn parts(&self) -> Option<(&[u8], &[u8])> {
        let rest = self.0.strip_prefix(b"{")?;
        let end = rest.iter().position(|&byte| byte == b'}')?;
        (end > 0).then(|| (&rest[..end], &rest[end + 1..]))
    }
}

/// What hashes, and whether a salt may follow the hash.
fn known(scheme: &[u8]) -> Option<(&'static Algorithm, bool)> {
    let scheme = scheme.to_ascii_uppercase();
    Some(match scheme.as_slice() {
        b"SHA" => (&SHA1_FOR_LEGACY_USE_ONLY, false),
        b"SSHA" => (&SHA1_FOR_LEGACY_USE_ONLY, true),
        b"SHA256" => (&SHA256, false),
        b"SSHA256" => (&SHA256, true),
        b"SHA384" => (&SHA384, false),
        b"SSHA384" => (&SHA384, true),
        b"SHA512" => (&SHA512, false),
        b"SSHA512" => (&SHA512, true),
        _ => return None,
    })
}

fn salted(algorithm: &'static Algorithm, password: &[u8], salt: &[u8]) -> Vec<u8> {
    let text = Zeroizing::new([password, salt].concat());
    digest(algorithm, &text).as_ref().to_vec()
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &str) -> Stored {
        Stored(Zeroizing::new(text.as_bytes().to_vec()))
    }

    /// Made by `slappasswd -s secret` with these schemes, and modules.
    const OF_SECRET: [&str; 4] = [
        "{SSHA}mGFeHG1g6CcaBS60gkmK8WegVOImrAbK",
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
        "{SSHA512}qgttJ/W4rYCcJueeiEL94q4pjVel1aWsC6Sz9N0NEspf+QAOMn6pPto9EcsktDBSVHoV28T0orkg2hizmN6fzsHR/mD7Q2vh",
        "{SSHA256}nF6qjoT+2eyGMsq3PbyERQFzeWGBfFmBxN+FF7CWNvH7JrXvxDbpUA==",
    ];

    #[test]
    fn values_of_the_server_are_told_apart() {
        for text in OF_SECRET.iter().chain(&["secret"]) {
            assert_eq!(stored(text).matches(&"secret".into()), Match::Yes, "{text}");
            assert_eq!(stored(text).matches(&"Secret".into()), Match::No, "{text}");
            assert_eq!(stored(text).matches(&"".into()), Match::No, "{text}");
            assert!(!stored(text).is_unknown());
            let lower = text.replacen("{SSHA}", "{ssha}", 1);
            assert_eq!(stored(&lower).matches(&"secret".into()), Match::Yes);
        }
        for text in [
            "{ARGON2}$argon2id$v=19$m=7168,t=5,p=1$abc$def",
            "{CRYPT}$6$salt$hash",
            "{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==",
            "{SSHA}no base64",
            "{SSHA}AAAA",
            "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQhAAAA",
            "{SASL}app@EXAMPLE",
        ] {
            assert_eq!(
                stored(text).matches(&"secret".into()),
                Match::Unknown,
                "{text}"
            );
            assert!(stored(text).is_unknown());
        }
        assert!(stored("{sasl}app@EXAMPLE").is_kept_elsewhere());
        assert!(!stored("{SSHA}app@EXAMPLE").is_kept_elsewhere());
        let odd = "{a}password that looks like a hash";
        assert_eq!(stored(odd).matches(&odd.into()), Match::Unknown);
        for clear in ["{no end", "{}no name", "a{b}c", "}{"] {
            assert!(!stored(clear).looks_hashed());
            assert_eq!(stored(clear).matches(&clear.into()), Match::Yes);
            assert_eq!(stored(clear).matches(&"x".into()), Match::No);
        }
    }

    #[test]
    fn what_is_made_is_its_password_and_hides_it() {
        let salt = Salt::of(&"version".into(), "uid=app,dc=example");
        for scheme in [PasswordScheme::Ssha, PasswordScheme::Ssha512] {
            let made = Stored::new(scheme, &"sentinel".into(), &salt);
            assert_eq!(made.matches(&"sentinel".into()), Match::Yes);
            assert_eq!(made.matches(&"sentinel2".into()), Match::No);
            assert!(!made.0.windows(8).any(|part| part == b"sentinel"));
            assert_eq!(format!("{made:?}"), "Stored([redacted])");
        }
        let plain = Stored::new(PasswordScheme::Plain, &"sentinel".into(), &salt);
        assert_eq!(plain.0.as_slice(), b"sentinel");
    }

    #[test]
    fn a_salt_is_that_of_one_rotation_of_one_entry() {
        let salt = |version: &str, entry: &str| Salt::of(&version.into(), entry).0;
        assert_eq!(salt("a", "b"), salt("a", "b"));
        assert_ne!(salt("a", "b"), salt("a", "c"));
        assert_ne!(salt("a", "b"), salt("c", "b"));
        assert_ne!(salt("ab", "c"), salt("a", "bc"));
    }
}
