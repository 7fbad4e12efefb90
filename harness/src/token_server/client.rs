//! Who asks, and how that is checked.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::jwt::{Desk, VerifyingKey, claims};

/// How a registered client has to prove itself: in this way and no other.
#[derive(Clone, Debug)]
pub enum Proof {
    /// HTTP Basic.
    Basic(String),
    /// `client_id` and `client_secret` among the parameters.
    Post(String),
    /// A signed assertion.
    Assertion(VerifyingKey),
    /// A header of this name with this value.
    Header(&'static str, String),
    /// `client_id` alone.
    None,
}

/// A request, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRequest {
    /// `token`, `revoke`, `introspect` or `resource`.
    pub endpoint: String,
    /// The header `Authorization`.
    pub authorization: String,
    /// All headers, by their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The parameters of a form or a JSON object; of several of one name the last.
    pub parameters: BTreeMap<String, String>,
}

impl TokenRequest {
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }
}

/// Reads a body by its type.
pub(super) fn parameters(content_type: &str, body: &[u8]) -> BTreeMap<String, String> {
    if content_type.starts_with("application/json") {
        let members: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        return members
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
    }
    let body = String::from_utf8_lossy(body).into_owned();
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (unescaped(name), unescaped(value)))
        .collect()
}

/// The client that a request proves to come from.
pub(super) fn client(
    clients: &BTreeMap<String, Proof>,
    request: &TokenRequest,
    desk: &mut Desk<'_>,
) -> Option<String> {
    let basic = basic(&request.authorization);
    let named = match &basic {
        Some((id, _)) => id.clone(),
        None => request.parameter("client_id").to_owned(),
    };
    let found = clients.iter().find(|(id, proof)| match proof {
        Proof::Basic(secret) => basic == Some(((*id).clone(), secret.clone())),
        Proof::Post(secret) => named == **id && request.parameter("client_secret") == secret,
        Proof::Assertion(key) => {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            named == **id && request.parameter("client_assertion_type") == kind && {
                let claims = claims(request.parameter("client_assertion"), key, desk);
                claims.is_some_and(|claims| claims["iss"] == **id && claims["sub"] == **id)
            }
        }
        Proof::Header(name, value) => request.headers.get(*name) == Some(value),
        Proof::None => named == **id,
    });
    found.map(|(id, _)| id.clone())
}

pub(crate) fn basic(header: &str) -> Option<(String, String)> {
    let pair = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((unescaped(id), unescaped(secret)))
}

/// Undoes the encoding of forms.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let digit = |hex: u8| char::from(hex).to_digit(16).expect("a hex digit");
                let byte = digit(*high) * 16 + digit(*low);
                bytes.push(u8::try_from(byte).expect("two hex digits are a byte"));
                rest = after;
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).expect("forms are UTF-8")
}
