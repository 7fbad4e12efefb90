//! Signed assertions (RFC 7523): a client, or a grant, that proves itself without sending its key.
//!
//! Signatures are made by the TLS library's own signing keys, which read every form of private key.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use secrets_core::rotator::RotatorError;
use serde_json::{Map, Value, json};

use super::token_client::ClientCredential;
use crate::configuration::Fields;
use crate::web::http::certificates;
use crate::web::{Template, percent};

/// How an assertion is signed (RFC 7518, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
    /// With the client secret, which must have 256 bits.
    Hs256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }
}

/// Whom an assertion speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The client itself: issuer and subject are the client (RFC 7523, section 3).
    Client,
    /// The grant: issuer, subject and further claims as configured.
    Grant,
}

/// The field `assertion`.
#[derive(Clone, Debug)]
pub(crate) struct Assertion {
    pub(crate) algorithm: Algorithm,
    audience: Option<Template>,
    key_id: Option<Template>,
    issuer: Option<Template>,
    subject: Option<Template>,
    claims: Vec<(String, Template)>,
    lifetime: u64,
    backdate: u64,
    thumbprint: bool,
}

impl Default for Assertion {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Rs256,
            audience: None,
            key_id: None,
            issuer: None,
            subject: None,
            claims: Vec::new(),
            lifetime: 60,
            backdate: 10,
            thumbprint: false,
        }
    }
}

impl Assertion {
    pub(crate) fn read(fields: &mut Fields) -> Self {
        let default = Self::default();
        let algorithm = fields.choice(
            "algorithm",
            [
                ("RS256", Algorithm::Rs256),
                ("PS256", Algorithm::Ps256),
                ("ES256", Algorithm::Es256),
                ("EdDSA", Algorithm::EdDsa),
                ("HS256", Algorithm::Hs256),
            ],
        );
        Self {
            algorithm,
            audience: fields.parsed("audience", Template::parse),
            key_id: fields.parsed("key_id", Template::parse),
            issuer: fields.parsed("issuer", Template::parse),
            subject: fields.parsed("subject", Template::parse),
            claims: fields.templates("claims"),
            lifetime: fields.number("lifetime_seconds", default.lifetime, 10..=3600),
            backdate: fields.number("backdate_seconds", default.backdate, 0..=600),
            thumbprint: fields.flag("certificate_thumbprint", default.thumbprint),
        }
    }

    /// A new assertion, which works once.
    pub(crate) fn sign(
        &self,
        purpose: Purpose,
        algorithm: Algorithm,
        client: &ClientCredential,
        default_audience: &str,
    ) -> Result<Zeroizing<String>, RotatorError> {
        let header = self.header(algorithm, client)?;
        let claims = self.claims(purpose, client, default_audience)?;
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = signature(algorithm, client, message.as_bytes())?;
        Ok(Zeroizing::new(format!(
            "{message}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        )))
    }

    fn header(
        &self,
        algorithm: Algorithm,
        client: &ClientCredential,
    ) -> Result<Value, RotatorError> {
        let mut header = json!({"alg": algorithm.name(), "typ": "JWT"});
        let key_id = match &self.key_id {
            Some(template) => Some(client.fill(template, "assertion.key_id")?.to_string()),
            // A shared secret has no name; some providers look for a key of that name.
            None if algorithm == Algorithm::Hs256 => None,
            None => client
                .find("key_id")
                .map(|id| id.expose_secret().to_owned()),
        };
        if let Some(key_id) = key_id {
            header["kid"] = key_id.into();
        }
        if self.thumbprint {
            let pem = client.text("certificate")?;
            let chain = certificates(pem.expose_secret())
                .map_err(|rule| client.fault("certificate", &rule.to_string()))?;
            let hash = digest::digest(&digest::SHA256, &chain[0]);
            header["x5t#S256"] = URL_SAFE_NO_PAD.encode(hash).into();
        }
        Ok(header)
    }

    fn claims(
        &self,
        purpose: Purpose,
        client: &ClientCredential,
        default_audience: &str,
    ) -> Result<Value, RotatorError> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        let own = |template: &Option<Template>, field| match (purpose, template) {
            (Purpose::Grant, Some(template)) => client
                .fill(template, field)
                .map(|filled| Value::from(filled.as_str())),
            _ => client
                .text("client_id")
                .map(|id| Value::from(id.expose_secret())),
        };
        put("iss", own(&self.issuer, "assertion.issuer")?);
        put("sub", own(&self.subject, "assertion.subject")?);
        let audience = match &self.audience {
            Some(template) => client.fill(template, "assertion.audience")?.to_string(),
            None => default_audience.to_owned(),
        };
        put("aud", audience.into());
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = since.map_or(0, |since| since.as_secs());
        put("iat", now.saturating_sub(self.backdate).into());
        put("exp", (now + self.lifetime).into());
        let mut random = [0; 16];
        SystemRandom::new().fill(&mut random).map_err(|_| {
            RotatorError::unreachable("the system gave no random bytes; try again later")
        })?;
        put("jti", percent::hex(&random).into());
        if purpose == Purpose::Grant {
            for (name, template) in &self.claims {
                put(
                    name,
                    client.fill(template, "assertion.claims")?.as_str().into(),
                );
            }
        }
        Ok(Value::Object(claims))
    }
}

/// The least for HS256: as much as the hash (RFC 7518, section 3.2).
const LEAST_SECRET: usize = 32;

fn signature(
    algorithm: Algorithm,
    client: &ClientCredential,
    message: &[u8],
) -> Result<Vec<u8>, RotatorError> {
    let scheme = match algorithm {
        Algorithm::Hs256 => {
            let secret = client.text("client_secret")?;
            let secret = secret.expose_secret().as_bytes();
            if secret.len() < LEAST_SECRET {
                let rule = "is too short to sign with HS256: it must have 32 bytes or more; get a longer one \
                            from the provider";
                return Err(client.fault("client_secret", rule));
            }
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            return Ok(hmac::sign(&key, message).as_ref().to_vec());
        }
        Algorithm::Rs256 => SignatureScheme::RSA_PKCS1_SHA256,
        Algorithm::Ps256 => SignatureScheme::RSA_PSS_SHA256,
        Algorithm::Es256 => SignatureScheme::ECDSA_NISTP256_SHA256,
        Algorithm::EdDsa => SignatureScheme::ED25519,
    };
    let key = any_supported_type(&private_key(client)?).map_err(|_| {
        client.fault(
            "private_key",
            "is a key that cannot sign: RSA of 2048 bits or more, P-256, P-384 or Ed25519 is needed",
        )
    })?;
    let fault = || {
        let rule = format!("does not fit `assertion.algorithm` {}", algorithm.name());
        client.fault("private_key", &rule)
    };
    let signer = key.choose_scheme(&[scheme]).ok_or_else(fault)?;
    let signature = signer.sign(message).map_err(|_| fault())?;
    match algorithm {
        Algorithm::Es256 => fixed(&signature).ok_or_else(fault),
        _ => Ok(signature),
    }
}

/// The key `private_key`, in any PEM form: PKCS #8, PKCS #1, SEC 1.
pub(crate) fn private_key(
    client: &ClientCredential,
) -> Result<PrivateKeyDer<'static>, RotatorError> {
    let pem = client.text("private_key")?;
    PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes())
        .map_err(|_| client.fault("private_key", "must be a private key in PEM form"))
}

/// TLS writes an ECDSA signature as ASN.1, a JWT as two numbers of 32 bytes (RFC 7518, section 3.4).
fn fixed(asn1: &[u8]) -> Option<Vec<u8>> {
    let [0x30, length, numbers @ ..] = asn1 else {
        return None;
    };
    if usize::from(*length) != numbers.len() {
        return None;
    }
    let mut fixed = vec![0; 64];
    let mut rest = numbers;
    for half in fixed.chunks_exact_mut(32) {
        let [0x02, length, after @ ..] = rest else {
            return None;
        };
        let (number, after) = after.split_at_checked(usize::from(*length))?;
        // A leading zero keeps a number from being negative.
        let digits = number.strip_prefix(&[0]).unwrap_or(number);
        let start = 32_usize.checked_sub(digits.len())?;
        half[start..].copy_from_slice(digits);
        rest = after;
    }
    rest.is_empty().then_some(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_numbers_of_a_signature_get_32_bytes() {
        let mut asn1 = vec![0x30, 0x26, 0x02, 0x21, 0x00];
        asn1.extend([0xff; 32]);
        asn1.extend([0x02, 0x01, 0x07]);
        let fixed_form = fixed(&asn1).expect("a signature");
        assert_eq!(fixed_form[..32], [0xff; 32]);
        assert_eq!(fixed_form[32..63], [0; 31]);
        assert_eq!(fixed_form[63], 7);
        for cut in 0..asn1.len() {
            assert_eq!(fixed(&asn1[..cut]), None, "{cut}");
        }
        let mut longer = asn1.clone();
        longer.push(0);
        assert_eq!(fixed(&longer), None);
    }
}
