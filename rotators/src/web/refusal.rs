//! What a reply says that is not the one hoped for. Its words are never read: they may quote secrets.

use reqwest::StatusCode;
use secrets_core::rotator::RotatorError;
use serde_json::Value;

use super::http::{Peer, Reply};
use super::json::Pointer;

/// Codes of RFC 6749 (sections 4.1.2.1 and 5.2), RFC 6750 (section 3.1), RFC 7009 (section 2.2.1) and RFC
/// 8707 (section 2). No other word gets through.
const WORDS: [&str; 13] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    "invalid_token",
    "insufficient_scope",
    "unsupported_token_type",
    "invalid_target",
];

/// The provider's own code: X puts `{"errors": [{"code": 99}]}`, others `{"error": "invalid_client"}`, and
/// a reply may have a place of its own for it.
pub(crate) fn provider_code(reply: &Reply) -> Option<String> {
    let body = reply.json()?;
    let own = reply.code_at.as_ref();
    own.and_then(|own| code_of(body.at(own)?))
        .or_else(|| code_of(body.at(&Pointer::member("errors/0/code"))?))
        .or_else(|| code_of(body.at(&Pointer::member("error"))?))
}

/// A longer number, or another word, is no code and might be something else.
fn code_of(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => {
            let number = number.as_u64().filter(|number| *number < 100_000)?;
            Some(number.to_string())
        }
        Value::String(word) => WORDS.contains(&word.as_str()).then(|| word.clone()),
        _ => None,
    }
}

/// Status and provider's code, as `403/99`.
pub(crate) fn code(reply: &Reply) -> String {
    let status = reply.status.as_u16();
    match provider_code(reply) {
        Some(code) => format!("{status}/{code}"),
        None => status.to_string(),
    }
}

/// The error for a reply that is no success; `remedy` is for the case that our credential is refused.
pub(crate) fn refusal(reply: &Reply, peer: Peer<'_>, remedy: &str) -> RotatorError {
    let later = || match reply.retry_after {
        Some(seconds) => format!("after {seconds} seconds (Retry-After)"),
        None => "later".to_owned(),
    };
    let fault = match reply.status {
        StatusCode::TOO_MANY_REQUESTS => {
            RotatorError::unreachable(format!("{peer} is asked too often; try again {}", later()))
        }
        StatusCode::REQUEST_TIMEOUT => {
            RotatorError::unreachable(format!("{peer} is too slow; try again {}", later()))
        }
        status if status.is_server_error() => RotatorError::unreachable(format!(
            "{peer} cannot serve at the moment; try again {}",
            later()
        )),
        status if status.is_redirection() => RotatorError::misconfigured(format!(
            "{peer} redirects to another place, which is not followed; correct the URL"
        )),
        StatusCode::FORBIDDEN if provider_code(reply).as_deref() == Some("99") => {
            RotatorError::refused(format!(
                "{peer} refuses us, as it does when it is asked too often; wait 15 minutes and try again, and \
                 if it persists: {remedy}"
            ))
        }
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            RotatorError::refused(format!("{peer} refuses us; {remedy}"))
        }
        status if status.is_success() && provider_code(reply).is_some() => {
            RotatorError::refused(format!("{peer} answers with an error inside; {remedy}"))
        }
        _ => RotatorError::misconfigured(format!(
            "{peer} does not answer as it should; correct the URL"
        )),
    };
    fault.with_code(code(reply))
}
