//! What a broker stores instead of a password: a salt of four bytes and the hash of salt and password, in
//! Base64 (`RabbitMQ`'s guide "Password Hashing").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Algorithm, SHA256, SHA512, digest};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::RotatorError;

/// The algorithm that new passwords are stored with, in the API's name for it: what brokers do by default.
pub(super) const HASHING: &str = "rabbit_password_hashing_sha256";

const SALT: usize = 4;

/// What the broker is to store for a password.
pub(super) fn hash(password: &SecretString) -> Result<String, RotatorError> {
    let mut salt = [0; SALT];
    SystemRandom::new().fill(&mut salt).map_err(|_| {
        RotatorError::unreachable("the system gives no randomness; try again later")
    })?;
    Ok(STANDARD.encode(salted(&SHA256, salt, password)))
}

/// Whether this is what the broker stores for the password. None: not to be told.
pub(super) fn matches(stored: &str, algorithm: &str, password: &SecretString) -> Option<bool> {
    if stored.is_empty() {
        return Some(false);
    }
    let algorithm = match algorithm {
        HASHING => &SHA256,
        "rabbit_password_hashing_sha512" => &SHA512,
        _ => return None,
    };
    let stored = STANDARD.decode(stored).ok()?;
    let salt = *stored.first_chunk()?;
    Some(salted(algorithm, salt, password) == stored)
}

fn salted(algorithm: &'static Algorithm, salt: [u8; SALT], password: &SecretString) -> Vec<u8> {
    let password = password.expose_secret().as_bytes();
    let mut text = Zeroizing::new(Vec::with_capacity(SALT + password.len()));
    text.extend(salt);
    text.extend(password);
    [&salt, digest(algorithm, &text).as_ref()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the guide: salt 908D C60A, password test12.
    const DOCUMENTED: &str = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR";

    #[test]
    fn the_example_of_the_guide() {
        let right = SecretString::from("test12");
        assert_eq!(matches(DOCUMENTED, HASHING, &right), Some(true));
        assert_eq!(matches(DOCUMENTED, HASHING, &"test13".into()), Some(false));
        assert_eq!(matches("", HASHING, &"".into()), Some(false));
        for (stored, algorithm) in [
            (DOCUMENTED, "rabbit_password_hashing_md5"),
            ("no base64!", HASHING),
            ("AAA=", HASHING),
        ] {
            assert_eq!(
                matches(stored, algorithm, &right),
                None,
                "{stored} {algorithm}"
            );
        }
    }

    #[test]
    fn each_hash_has_a_salt_of_its_own() {
        let password = SecretString::from("sentinel ä");
        let hashes = [(), ()].map(|()| hash(&password).expect("randomness"));
        assert_ne!(hashes[0], hashes[1]);
        for hash in hashes {
            assert_eq!(matches(&hash, HASHING, &password), Some(true));
        }
        let long = STANDARD.encode(salted(&SHA512, [1, 2, 3, 4], &password));
        let sha512 = "rabbit_password_hashing_sha512";
        assert_eq!(matches(&long, sha512, &password), Some(true));
        assert_eq!(matches(&long, sha512, &"another".into()), Some(false));
    }
}
