//! Signed assertions, checked the way a provider does.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;

/// What a signature is checked with.
#[derive(Clone, Debug)]
pub enum VerifyingKey {
    /// HS256.
    Shared(String),
    /// The public half of a private key.
    Public {
        /// RS256, PS256, ES256 or `EdDSA`.
        algorithm: &'static str,
        /// As `ring` takes it.
        key: Vec<u8>,
        /// What the header must name.
        key_id: Option<String>,
    },
}

impl VerifyingKey {
    /// The public half of a private key in PEM form.
    ///
    /// # Panics
    /// If that is no key.
    pub fn of(algorithm: &'static str, private_key_pem: &str) -> Self {
        let pair = rcgen::KeyPair::from_pem(private_key_pem).expect("a private key");
        Self::Public {
            algorithm,
            key: pair.public_key_raw().to_vec(),
            key_id: None,
        }
    }

    /// The same, for assertions that name this key.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        if let Self::Public { key_id, .. } = &mut self {
            *key_id = Some(name.to_owned());
        }
        self
    }

    fn verifies(&self, header: &Value, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Shared(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
                header["alg"] == "HS256" && hmac::verify(&key, message, signature).is_ok()
            }
            Self::Public {
                algorithm,
                key,
                key_id,
            } => {
                let verification: &dyn VerificationAlgorithm = match *algorithm {
                    "RS256" => &RSA_PKCS1_2048_8192_SHA256,
                    "PS256" => &RSA_PSS_2048_8192_SHA256,
                    "ES256" => &ECDSA_P256_SHA256_FIXED,
                    _ => &ED25519,
                };
                let public = UnparsedPublicKey::new(verification, key);
                header["alg"] == *algorithm
                    && key_id.as_ref().is_none_or(|name| header["kid"] == **name)
                    && public.verify(message, signature).is_ok()
            }
        }
    }
}

/// What a provider knows when it looks at an assertion.
pub(super) struct Desk<'a> {
    pub(super) audience: &'a str,
    /// How far the provider's clock is ahead, in seconds.
    pub(super) clock_offset: i64,
    /// Identifiers that were seen.
    pub(super) seen: &'a mut BTreeSet<String>,
}

/// The claims of an assertion that is in order.
pub(super) fn claims(assertion: &str, key: &VerifyingKey, desk: &mut Desk<'_>) -> Option<Value> {
    let (message, signature) = assertion.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    let claims: Value = serde_json::from_slice(&decode(claims)?).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let now = i64::try_from(now).ok()? + desk.clock_offset;
    let in_order = key.verifies(&header, message.as_bytes(), &decode(signature)?)
        && claims["aud"] == desk.audience
        && claims["iat"].as_i64()? <= now
        && claims["exp"].as_i64()? > now
        && desk.seen.insert(claims["jti"].as_str()?.to_owned());
    in_order.then_some(claims)
}
