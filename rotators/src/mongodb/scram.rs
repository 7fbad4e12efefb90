//! The login: SCRAM (RFC 5802, RFC 7677) as `MongoDB` has it (drivers' specification, "Authentication"). It
//! sends no password, and the server has to prove that it knows it, too.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::RotatorError;

/// How often a password may be hashed at a login: below, it would be too easy to guess (RFC 7677, section 4);
/// above, the server only wants to keep us busy.
const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;

/// How a user may log in with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// `MongoDB` up to 3.6, and `DocumentDB` before 5.0.1.
    Sha1,
    Sha256,
}

impl Mechanism {
    /// The best of these; None: none that takes a password.
    pub(super) fn best<'n>(names: impl Iterator<Item = &'n str>) -> Option<Self> {
        names.fold(None, |best, name| match name {
            "SCRAM-SHA-256" => Some(Self::Sha256),
            "SCRAM-SHA-1" => best.or(Some(Self::Sha1)),
            _ => best,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        }
    }

    fn digest(self, bytes: &[u8]) -> digest::Digest {
        digest::digest(self.hmac().digest_algorithm(), bytes)
    }

    /// What takes the password's place in the hashes.
    fn prepared(
        self,
        username: &str,
        password: &SecretString,
    ) -> Result<Zeroizing<String>, RotatorError> {
        let password = password.expose_secret();
        match self {
            Self::Sha1 => {
                let mut md5 = Md5::new();
                for part in [username, ":mongo:", password] {
                    md5.update(part);
                }
                let mut hex = Zeroizing::new(String::with_capacity(32));
                for byte in md5.finalize() {
                    for digit in [byte >> 4, byte & 15] {
                        hex.push(char::from_digit(digit.into(), 16).unwrap_or_default());
                    }
                }
                Ok(hex)
            }
            Self::Sha256 => match stringprep::saslprep(password) {
                Ok(prepared) => Ok(Zeroizing::new(prepared.into_owned())),
                Err(_) => Err(RotatorError::misconfigured(
                    "`password` holds characters that no password of SCRAM-SHA-256 may hold (RFC 4013), \
                     such as control characters; give the user another one and write it into the secret",
                )),
            },
        }
    }
}

/// A login that has begun.
pub(super) struct Scram {
    mechanism: Mechanism,
    /// The first message without its start.
    first: String,
    nonce: String,
    password: Zeroizing<String>,
}

/// The answer to the server's first message.
pub(super) struct Proof {
    pub(super) message: String,
    auth_message: String,
    server_key: hmac::Key,
}

impl Scram {
    /// Chooses what makes this login differ from every other one.
    pub(super) fn new(
        mechanism: Mechanism,
        username: &str,
        password: &SecretString,
    ) -> Result<Self, RotatorError> {
        let mut nonce = [0; 24];
        SystemRandom::new().fill(&mut nonce).map_err(|_| {
            RotatorError::unreachable("the system gives no randomness; try again later")
        })?;
        Self::with_nonce(mechanism, username, password, BASE64.encode(nonce))
    }

    fn with_nonce(
        mechanism: Mechanism,
        username: &str,
        password: &SecretString,
        nonce: String,
    ) -> Result<Self, RotatorError> {
        let password = mechanism.prepared(username, password)?;
        let username = username.replace('=', "=3D").replace(',', "=2C");
        Ok(Self {
            mechanism,
            first: format!("n={username},r={nonce}"),
            nonce,
            password,
        })
    }

    /// The first message.
    pub(super) fn message(&self) -> String {
        format!("n,,{}", self.first)
    }

    /// Proves that the password is known; None: the server's message is none of SCRAM.
    pub(super) fn prove(&self, challenge: &[u8]) -> Option<Proof> {
        let challenge = std::str::from_utf8(challenge).ok()?;
        let mut fields = challenge.split(',');
        let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
        let (nonce, salt, iterations) = (field("r")?, field("s")?, field("i")?);
        if nonce.len() <= self.nonce.len() || !nonce.starts_with(&self.nonce) {
            return None;
        }
        let salt = BASE64.decode(salt).ok()?;
        let iterations = iterations
            .parse()
            .ok()
            .filter(|it| ITERATIONS.contains(it))?;

        let hmac = self.mechanism.hmac();
        let length = hmac.digest_algorithm().output_len();
        let mut salted = Zeroizing::new(vec![0; length]);
        let algorithm = match self.mechanism {
            Mechanism::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Mechanism::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        };
        let iterations = NonZeroU32::new(iterations)?;
        pbkdf2::derive(
            algorithm,
            iterations,
            &salt,
            self.password.as_bytes(),
            &mut salted,
        );
        let salted = hmac::Key::new(hmac, &salted);
        let client_key = hmac::sign(&salted, b"Client Key");
        let stored_key = self.mechanism.digest(client_key.as_ref());

        // `biws` is `n,,` in base64: no channel binding, which MongoDB does not have.
        let last = format!("c=biws,r={nonce}");
        let auth_message = format!("{},{challenge},{last}", self.first);
        let stored_key = hmac::Key::new(hmac, stored_key.as_ref());
        let signature = hmac::sign(&stored_key, auth_message.as_bytes());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(one, two)| one ^ two)
            .collect();
        Some(Proof {
            message: format!("{last},p={}", BASE64.encode(proof)),
            auth_message,
            server_key: hmac::Key::new(hmac, hmac::sign(&salted, b"Server Key").as_ref()),
        })
    }
}

impl Proof {
    /// Whether the server knows the password as well.
    pub(super) fn accepts(&self, last: &[u8]) -> bool {
        let signature = last.strip_prefix(b"v=").and_then(|encoded| {
            let end = encoded.iter().position(|&byte| byte == b',');
            BASE64.decode(&encoded[..end.unwrap_or(encoded.len())]).ok()
        });
        signature.is_some_and(|signature| {
            hmac::verify(&self.server_key, self.auth_message.as_bytes(), &signature).is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(mechanism: Mechanism, nonce: &str) -> Scram {
        let login = Scram::with_nonce(mechanism, "user", &"pencil".into(), nonce.to_owned());
        login.expect("a password that can be prepared")
    }

    /// RFC 7677, section 3.
    #[test]
    fn the_example_of_the_rfc_is_followed() {
        let login = login(Mechanism::Sha256, "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(login.message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let challenge = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let proof = login.prove(challenge).expect("a challenge");
        assert_eq!(
            proof.message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(proof.accepts(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        for wrong in [
            &b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="[..],
            b"e=invalid-proof",
            b"v=",
            b"",
        ] {
            assert!(!proof.accepts(wrong), "{wrong:?}");
        }
    }

    /// Drivers' specification, "Authentication", "SCRAM-SHA-1": with the digest of MONGODB-CR.
    #[test]
    fn the_example_of_the_drivers_is_followed() {
        let login = login(Mechanism::Sha1, "fyko+d2lbbFgONRv9qkxdawL");
        let nonce = "fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE";
        let challenge = format!("r={nonce},s=rQ9ZY3MntBeuP3E1TDVC4w==,i=10000");
        let proof = login.prove(challenge.as_bytes()).expect("a challenge");
        let expected = format!("c=biws,r={nonce},p=MC2T8BvbmWRckDw8oWl5IVghwCY=");
        assert_eq!(proof.message, expected);
        assert!(proof.accepts(b"v=UMWeI25JD1yNYZRMpZ4VHvhZ9e0="));
    }

    #[test]
    fn names_are_escaped_and_passwords_prepared() {
        let login = Scram::new(Mechanism::Sha256, "a,b=c", &"I\u{ad}X \u{2168}".into());
        let login = login.expect("a login");
        assert!(login.message().starts_with("n,,n=a=2Cb=3Dc,r="));
        assert_eq!(login.password.as_str(), "IX IX");
        let control = Scram::new(Mechanism::Sha256, "a", &"sentinel\u{7}".into());
        let fault = control.err().expect("a control character").to_string();
        assert!(fault.contains("`password`") && !fault.contains("sentinel"));
        assert!(Scram::new(Mechanism::Sha1, "a", &"\u{7}".into()).is_ok());
    }

    #[test]
    fn no_two_logins_are_the_same() {
        let of = || Scram::new(Mechanism::Sha256, "a", &"p".into()).expect("a login");
        assert_ne!(of().message(), of().message());
    }

    #[test]
    fn what_is_no_challenge_is_not_answered() {
        let login = login(Mechanism::Sha256, "mine");
        assert!(login.prove(b"r=mine+yours,s=QQ==,i=4096").is_some());
        for challenge in [
            "",
            "r=mine,s=QQ==,i=4096",
            "r=yours+mine,s=QQ==,i=4096",
            "r=mine+yours,s=!,i=4096",
            "r=mine+yours,s=QQ==,i=4095",
            "r=mine+yours,s=QQ==,i=1000001",
            "r=mine+yours,s=QQ==,i=-1",
            "r=mine+yours,s=QQ==",
            "s=QQ==,r=mine+yours,i=4096",
            "m=x,r=mine+yours,s=QQ==,i=4096",
        ] {
            assert!(login.prove(challenge.as_bytes()).is_none(), "{challenge}");
        }
    }

    #[test]
    fn the_best_mechanism_is_chosen() {
        let best = |names: &[&str]| Mechanism::best(names.iter().copied());
        assert_eq!(best(&["SCRAM-SHA-1"]), Some(Mechanism::Sha1));
        for both in [
            ["SCRAM-SHA-1", "SCRAM-SHA-256"],
            ["SCRAM-SHA-256", "SCRAM-SHA-1"],
        ] {
            assert_eq!(best(&both), Some(Mechanism::Sha256));
        }
        assert_eq!(best(&["MONGODB-X509", "MONGODB-AWS"]), None);
    }
}
