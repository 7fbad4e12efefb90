//! Signature Version 4, as far as a server of one path has to check it (AWS page "Create a signed AWS API
//! request").

use std::fmt::Write;

use bytes::Bytes;
use hyper::Request;
use ring::{digest, hmac};

/// What the header `Authorization` says.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) key_id: String,
    /// `iam` or `sts`.
    pub(super) service: String,
    scope: String,
    headers: String,
    signature: String,
}

impl Signed {
    pub(super) fn of(request: &Request<Bytes>) -> Option<Self> {
        let header = request.headers().get("authorization")?.to_str().ok()?;
        let parts = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let part = |name: &str| {
            let mut parts = parts.split(", ");
            parts.find_map(|part| part.strip_prefix(name).map(str::to_owned))
        };
        let credential = part("Credential=")?;
        let (key_id, scope) = credential.split_once('/')?;
        Some(Self {
            key_id: key_id.to_owned(),
            service: scope.split('/').nth(2)?.to_owned(),
            scope: scope.to_owned(),
            headers: part("SignedHeaders=")?,
            signature: part("Signature=")?,
        })
    }

    /// Whether the request was signed with this secret.
    pub(super) fn is_of(&self, secret: &str, request: &Request<Bytes>) -> bool {
        let header = |name: &str| {
            let value = request.headers().get(name).and_then(|it| it.to_str().ok());
            value.unwrap_or_default().trim().to_owned()
        };
        let mut canonical = format!("{}\n{}\n\n", request.method(), request.uri().path());
        for name in self.headers.split(';') {
            writeln!(canonical, "{name}:{}", header(name)).expect("strings take everything");
        }
        write!(canonical, "\n{}\n{}", self.headers, hash(request.body()))
            .expect("strings take everything");
        let date = header("x-amz-date");
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{date}\n{}\n{}",
            self.scope,
            hash(canonical.as_bytes())
        );
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in self.scope.split('/') {
            key = sign(&key, part);
        }
        hex(&sign(&key, &to_sign)) == self.signature
    }
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("strings take everything");
        text
    })
}
