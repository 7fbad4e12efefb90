//! The server's side of SCRAM: what is stored of a password, and how a login is checked against it.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};
use ring::{digest, hmac, pbkdf2};

use crate::random;

/// The least that clients may take; a server of its own default hashes 10,000 and 15,000 times.
const ITERATIONS: u32 = 4096;

pub(super) const SHA_1: &str = "SCRAM-SHA-1";
pub(super) const SHA_256: &str = "SCRAM-SHA-256";

/// What the server stores instead of a password.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    mechanism: &'static str,
    /// No server keeps it: it spares the tests the hashing.
    password: String,
    salt: Vec<u8>,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

/// A login that has been answered once.
#[derive(Debug)]
pub(super) struct Challenge {
    credential: Credential,
    nonce: String,
    first: String,
    pub(super) message: String,
}

fn hmac(mechanism: &str) -> hmac::Algorithm {
    if mechanism == SHA_1 {
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY
    } else {
        hmac::HMAC_SHA256
    }
}

fn sign(mechanism: &str, key: &[u8], text: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac(mechanism), key);
    hmac::sign(&key, text).as_ref().to_owned()
}

fn hash(mechanism: &str, bytes: &[u8]) -> Vec<u8> {
    let hash = digest::digest(hmac(mechanism).digest_algorithm(), bytes);
    hash.as_ref().to_owned()
}

/// What is hashed in the password's place; None: no password for this mechanism.
fn prepared(mechanism: &str, user: &str, password: &str) -> Option<String> {
    if mechanism == SHA_1 {
        let digest = Md5::digest(format!("{user}:mongo:{password}"));
        let mut hex = String::new();
        for byte in digest {
            write!(hex, "{byte:02x}").expect("strings take everything");
        }
        return Some(hex);
    }
    let prepared = stringprep::saslprep(password).ok()?;
    Some(prepared.into_owned())
}

impl Credential {
    /// None: the password may not be used with this mechanism.
    pub(super) fn new(mechanism: &'static str, user: &str, password: &str) -> Option<Self> {
        let salt = random::number().to_be_bytes().repeat(2);
        let password = prepared(mechanism, user, password)?;
        let algorithm = if mechanism == SHA_1 {
            pbkdf2::PBKDF2_HMAC_SHA1
        } else {
            pbkdf2::PBKDF2_HMAC_SHA256
        };
        let mut salted = vec![0; hmac(mechanism).digest_algorithm().output_len()];
        let iterations = NonZeroU32::new(ITERATIONS).expect("more than none");
        pbkdf2::derive(
            algorithm,
            iterations,
            &salt,
            password.as_bytes(),
            &mut salted,
        );
        let client_key = sign(mechanism, &salted, b"Client Key");
        Some(Self {
            mechanism,
            password,
            salt,
            stored_key: hash(mechanism, &client_key),
            server_key: sign(mechanism, &salted, b"Server Key"),
        })
    }

    /// Whether this is the password.
    pub(super) fn is_of(&self, user: &str, password: &str) -> bool {
        prepared(self.mechanism, user, password).as_ref() == Some(&self.password)
    }

    /// Answers a client's first message, without `n,,`.
    pub(super) fn challenge(self, first: &str) -> Option<Challenge> {
        let (_, nonce) = first.split_once(",r=")?;
        let nonce = format!("{nonce}{}", random::uuid());
        let salt = BASE64.encode(&self.salt);
        Some(Challenge {
            message: format!("r={nonce},s={salt},i={ITERATIONS}"),
            credential: self,
            nonce,
            first: first.to_owned(),
        })
    }
}

impl Challenge {
    /// What proves to the client that the server knows the password; None: the client does not know it.
    pub(super) fn check(&self, last: &str) -> Option<String> {
        let (without_proof, proof) = last.rsplit_once(",p=")?;
        if without_proof != format!("c=biws,r={}", self.nonce) {
            return None;
        }
        let proof = BASE64.decode(proof).ok()?;
        let Credential {
            mechanism,
            stored_key,
            server_key,
            ..
        } = &self.credential;
        let all = format!("{},{},{without_proof}", self.first, self.message);
        let signature = sign(mechanism, stored_key, all.as_bytes());
        let client_key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        if proof.len() != signature.len() || &hash(mechanism, &client_key) != stored_key {
            return None;
        }
        let signature = sign(mechanism, server_key, all.as_bytes());
        Some(format!("v={}", BASE64.encode(signature)))
    }
}

/// The user in a client's first message, and that message without `n,,`.
pub(super) fn opened(message: &str) -> Option<(String, &str)> {
    let first = message.strip_prefix("n,,")?;
    let (user, _) = first.strip_prefix("n=")?.split_once(',')?;
    Some((user.replace("=2C", ",").replace("=3D", "="), first))
}
