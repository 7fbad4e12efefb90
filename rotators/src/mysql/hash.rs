//! What a server stores instead of a password, made here so that no statement holds one.
//!
//! The formats are those of the servers' sources: `sql/auth/sha2_password_common.cc` and
//! `sql/auth/password.c` of `MySQL`, `plugin/auth_ed25519` of `MariaDB`.

use curve25519_dalek::EdwardsPoint;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA512, digest};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::zeroize::Zeroizing;
use secrets_core::rotator::RotatorError;

use super::crypt::{ALPHABET, sha256_crypt};

/// The length of a salt, in characters.
const SALT: usize = 20;

/// How often a server with default settings hashes; also what servers before 8.0.24 do.
pub(super) const ROUNDS: u32 = 5000;

/// How an account logs in with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugin {
    /// The default since `MySQL` 8.0.
    CachingSha2,
    /// `MySQL` up to 8.4, and the default of `MariaDB`.
    Native,
    /// `MariaDB`.
    Ed25519,
}

impl Plugin {
    /// None: another way to log in, in which a password that is stored here plays no role.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "caching_sha2_password" => Self::CachingSha2,
            // What MariaDB says of accounts that came from an old version.
            "mysql_native_password" | "" => Self::Native,
            "ed25519" => Self::Ed25519,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CachingSha2 => "caching_sha2_password",
            Self::Native => "mysql_native_password",
            Self::Ed25519 => "ed25519",
        }
    }

    /// What the server is to store for this password.
    pub(super) fn verifier(self, password: &str, rounds: u32) -> Result<String, RotatorError> {
        let password = password.as_bytes();
        Ok(match self {
            // The server knows rounds by the thousand, in three hexadecimal digits.
            Self::CachingSha2 => sha2(
                &format!("$A${:03X}$", rounds / 1000),
                &salt()?,
                password,
                rounds / 1000 * 1000,
            ),
            Self::Native => native(password),
            Self::Ed25519 => ed25519(password),
        })
    }

    /// Whether this is what the server stores for the password. None: not to be told.
    pub(super) fn matches(self, stored: &[u8], password: &str) -> Option<bool> {
        let password = password.as_bytes();
        let made = match self {
            Self::CachingSha2 => {
                let rounds = std::str::from_utf8(stored.get(3..6)?).ok()?;
                let rounds = u32::from_str_radix(rounds, 16).ok()? * 1000;
                let (start, salt) = (stored.get(..7)?, stored.get(7..7 + SALT)?);
                let start = std::str::from_utf8(start).ok()?;
                sha2(start, salt, password, rounds)
            }
            Self::Native => native(password),
            Self::Ed25519 => ed25519(password),
        };
        Some(made.as_bytes() == stored)
    }
}

/// For an account that nobody is to log in to yet.
pub(super) fn random_password() -> Result<Zeroizing<String>, RotatorError> {
    let random = [salt()?, salt()?].concat();
    Ok(Zeroizing::new(random.into_iter().map(char::from).collect()))
}

fn salt() -> Result<[u8; SALT], RotatorError> {
    let mut salt = [0; SALT];
    SystemRandom::new().fill(&mut salt).map_err(|_| {
        RotatorError::unreachable("the system gives no randomness; try again later")
    })?;
    // 64 characters: a byte's lower six bits choose one without a bias.
    Ok(salt.map(|byte| ALPHABET[usize::from(byte & 63)]))
}

fn sha2(start: &str, salt: &[u8], password: &[u8], rounds: u32) -> String {
    let mut verifier = start.to_owned();
    // Servers choose from all of ASCII.
    verifier.extend(salt.iter().map(|&byte| char::from(byte)));
    verifier.push_str(&sha256_crypt(password, salt, rounds));
    verifier
}

/// `*` and `SHA1(SHA1(password))`.
fn native(password: &[u8]) -> String {
    let once = digest(&SHA1_FOR_LEGACY_USE_ONLY, password);
    let twice = digest(&SHA1_FOR_LEGACY_USE_ONLY, once.as_ref());
    let digits = twice.as_ref().iter().map(|byte| format!("{byte:02X}"));
    std::iter::once("*".to_owned()).chain(digits).collect()
}

/// The public key of the private key that the password is the seed of: unlike in RFC 8032 it may have any
/// length. Base64 without padding.
fn ed25519(password: &[u8]) -> String {
    let hash = digest(&SHA512, password);
    let mut seed = Zeroizing::new([0; 32]);
    seed.copy_from_slice(&hash.as_ref()[..32]);
    let key = EdwardsPoint::mul_base_clamped(*seed).compress();
    base64(key.as_bytes())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let padded = [0, 1, 2].map(|at| u32::from(group.get(at).copied().unwrap_or(0)));
        let value = padded[0] << 16 | padded[1] << 8 | padded[2];
        for at in 0..=group.len() {
            let digit = value >> (18 - 6 * at) & 63;
            text.push(char::from(DIGITS[digit as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What servers made of these passwords.
    #[test]
    fn stored_passwords_are_recognised() {
        let caching: Vec<u8> = (0..CACHING.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&CACHING[at..at + 2], 16).expect("hexadecimal"))
            .collect();
        for (plugin, stored, password) in [
            (Plugin::CachingSha2, caching.as_slice(), "p1"),
            // MariaDB manual, "Authentication Plugin - ed25519".
            (
                Plugin::Ed25519,
                b"ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY",
                "secret",
            ),
            (
                Plugin::Native,
                b"*9F75CEF7FD0C75DC40611DD8F86B6FFF569BF56D",
                "p1",
            ),
        ] {
            assert_eq!(plugin.matches(stored, password), Some(true), "{plugin:?}");
            assert_eq!(plugin.matches(stored, "p2"), Some(false), "{plugin:?}");
        }
    }

    /// `MySQL` 9.7, 10000 rounds, a salt with control characters.
    const CACHING: &str = "2441243030412404464202285518286E562E7F481A0E6815736D25333473637958307438674E\
                           31544C6E44594377552E7667727359514978493754584D30436B65456D746F41";

    #[test]
    fn what_is_made_is_recognised() {
        let plugins = [Plugin::CachingSha2, Plugin::Native, Plugin::Ed25519];
        for plugin in plugins {
            let long = "x".repeat(100);
            for password in ["p", "sentinel 'Ünïcode' \\", long.as_str()] {
                let made = plugin.verifier(password, 10_000).expect("randomness");
                assert_eq!(
                    plugin.matches(made.as_bytes(), password),
                    Some(true),
                    "{made}"
                );
                assert_eq!(plugin.matches(made.as_bytes(), "other"), Some(false));
                assert!(made.is_ascii());
            }
            assert_eq!(Plugin::of(plugin.name()), Some(plugin));
        }
        let made = Plugin::CachingSha2
            .verifier("p", 10_000)
            .expect("randomness");
        assert_eq!((made.len(), &made[..7]), (70, "$A$00A$"));
        let other = Plugin::CachingSha2
            .verifier("p", 10_000)
            .expect("randomness");
        assert_ne!(made, other);
    }

    #[test]
    fn what_makes_no_sense_is_not_judged() {
        for stored in ["", "$A$", "$A$00X$", "$A$005$short"] {
            assert_eq!(Plugin::CachingSha2.matches(stored.as_bytes(), "p"), None);
        }
        assert_eq!(Plugin::of("unix_socket"), None);
    }
}
