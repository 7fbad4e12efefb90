//! Signed assertions of clients (RFC 7523).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970")
        .as_secs()
        .try_into()
        .expect("small enough")
}

/// The claims of a proper assertion, with an id that no other one has.
pub(crate) fn claims(client: &str, audience: &str) -> Value {
    let random: [u8; 16] = ring::rand::generate(&SystemRandom::new())
        .expect("random")
        .expose();
    json!({
        "iss": client, "sub": client, "aud": audience,
        "jti": URL_SAFE_NO_PAD.encode(random),
        "iat": now(), "nbf": now(), "exp": now() + 60,
    })
}

/// The parameters that present an assertion.
pub(crate) fn form(assertion: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
    ]
}

/// Signs with a client's secret, HS256.
pub(crate) fn sign_with_secret(secret: &str, claims: &Value) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    sign(&json!({"alg": "HS256"}), claims, |text| {
        ring::hmac::sign(&key, text).as_ref().to_vec()
    })
}

/// A key pair of a client, P-256.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    id: &'static str,
}

impl Key {
    pub(crate) fn generate(id: &'static str) -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random);
        Self {
            pair: pair.expect("a valid key"),
            id,
        }
    }

    /// The public key, as it stands in a key set.
    pub(crate) fn public(&self) -> Value {
        public_jwk(self.pair.public_key().as_ref(), self.id)
    }

    /// Signs, ES256.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        sign(&json!({"alg": "ES256", "kid": self.id}), claims, |text| {
            let signature = self.pair.sign(&SystemRandom::new(), text);
            signature.expect("a signature").as_ref().to_vec()
        })
    }
}

/// The key set entry of an uncompressed point on P-256.
pub(crate) fn public_jwk(point: &[u8], id: &str) -> Value {
    let (x, y) = point[1..].split_at(32);
    json!({
        "kty": "EC", "crv": "P-256", "kid": id,
        "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    })
}

fn sign(header: &Value, claims: &Value, signer: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(signer(text.as_bytes()));
    format!("{text}.{signature}")
}
