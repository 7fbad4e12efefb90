//! What the extension and the agent answer: the JSON of `GetSecretValue`.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::GET;
use crate::document::SecretDocument;
use crate::event::SecretId;
use crate::store::{Label, SecretVersion, StoreError, StoreErrorKind};

pub(super) fn read(id: &SecretId, status: u16, body: &[u8]) -> Result<SecretVersion, StoreError> {
    let unreadable = || {
        StoreError::new(StoreErrorKind::Unavailable, GET, id)
            .with_code(Some("UnreadableReply".to_owned()))
    };
    if status != 200 {
        return Err(refusal(id, status, body));
    }
    let text = std::str::from_utf8(body).map_err(|_| unreadable())?;
    let reply = SecretDocument::from_text(text);
    version(&reply).ok_or_else(unreadable)
}

fn version(reply: &SecretDocument) -> Option<SecretVersion> {
    let field = |key| reply.optional_text(key).ok().flatten();
    let document = if let Some(text) = field("SecretString") {
        SecretDocument::from_text(text.expose_secret())
    } else {
        let bytes = field("SecretBinary")?;
        SecretDocument::from_bytes(STANDARD.decode(bytes.expose_secret()).ok()?)
    };
    let labels = reply.optional_texts("VersionStages").ok().flatten();
    let labels = labels.unwrap_or_default();
    Some(SecretVersion {
        id: field("VersionId")?.expose_secret().into(),
        labels: labels
            .iter()
            .map(|label| Label::from(label.expose_secret()))
            .collect(),
        // The agent writes seconds as text; whatever else it is, it is not needed.
        created: field("CreatedDate")
            .and_then(|seconds| seconds.expose_secret().parse().ok())
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)),
        arn: field("ARN").map(|arn| arn.expose_secret().into()),
        document,
    })
}

/// The agent passes on the service's error as `{"__type": .., "message": ..}`; both refuse a wrong token with
/// a word and a status.
fn refusal(id: &SecretId, status: u16, body: &[u8]) -> StoreError {
    let code = std::str::from_utf8(body)
        .ok()
        .map(SecretDocument::from_text)
        .and_then(|fault| fault.optional_text("__type").ok().flatten())
        .map(|code| Zeroizing::new(code.expose_secret().to_owned()))
        .and_then(|code| Some(code.rsplit('#').next()?.to_owned()))
        .filter(|code| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let kind = match (code.as_deref(), status) {
        (Some("ResourceNotFoundException"), _) => StoreErrorKind::NotFound,
        (Some("AccessDeniedException" | "ExpiredTokenException"), _) | (None, 401 | 403) => {
            StoreErrorKind::Denied
        }
        (Some("ThrottlingException"), _) | (_, 429) => StoreErrorKind::Throttled,
        (Some("DecryptionFailure"), _) => StoreErrorKind::Key,
        (Some("InvalidRequestException" | "InvalidParameterException"), _) => {
            StoreErrorKind::Invalid
        }
        // 502 to 504 are the agent's words for a network that fails, 503 and, from the extension, 400 for
        // a process that has not started yet.
        _ => StoreErrorKind::Unavailable,
    };
    let code = code.unwrap_or_else(|| format!("HTTP{status}"));
    StoreError::new(kind, GET, id).with_code(Some(code))
}
