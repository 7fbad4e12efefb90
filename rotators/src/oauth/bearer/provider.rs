//! The three requests: ask for a token, invalidate one, try one.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::{Context, RotatorError, Verdict};

use super::credential::{ApiKey, token};
use super::settings::{BearerSettings, Invalidation};
use crate::oauth::signature::{Moment, Signer};
use crate::web::Endpoint;
use crate::web::http::{self, Peer, Reply};
use crate::web::percent::{decode, encode};
use crate::web::refusal::{code, provider_code, refusal};

const FORM: &str = "application/x-www-form-urlencoded;charset=UTF-8";

const CHECK_THE_KEY: &str =
    "check `consumer_key` and `consumer_secret` in the secret that `masterarn` names";
const CHECK_THE_OWNER: &str = "check how invalidation is authenticated, and the keys for it in the secret \
                               that `masterarn` names";

/// Codes of X with status 403 that are a verdict on the token: not authenticated, invalid or expired, not
/// verified.
const WRONG_TOKEN: [&str; 3] = ["32", "89", "99"];

/// A token as it came.
pub(super) struct Minted {
    pub(super) token: SecretString,
    pub(super) token_type: SecretString,
}

/// The provider's token for this key: the one that lives, or a new one where none does.
pub(super) async fn ask(
    settings: &BearerSettings,
    key: &ApiKey,
    cx: &Context,
) -> Result<Minted, RotatorError> {
    let peer = Peer {
        role: "the token URL",
        endpoint: &settings.token_url,
    };
    let request = basic(request(Method::POST, peer.endpoint)?, key)
        .header(CONTENT_TYPE, FORM)
        .body("grant_type=client_credentials");
    let reply = http::send(request, peer, settings.timeout, cx).await?;
    if !reply.status.is_success() {
        return Err(refusal(&reply, peer, CHECK_THE_KEY));
    }
    let document = reply.document();
    // The token is all that is needed; what else is odd about the reply must not lose it.
    let Ok(token) = token(&document) else {
        return Err(match provider_code(&reply) {
            Some(_) => refusal(&reply, peer, CHECK_THE_KEY),
            None => RotatorError::misconfigured(format!(
                "{peer} answers without a token; correct the URL, then try again: nothing is lost"
            ))
            .with_code(code(&reply)),
        });
    };
    let token_type = document.optional_text("token_type").ok().flatten();
    let token_type = token_type.unwrap_or_else(|| SecretString::from("bearer"));
    if !token_type.expose_secret().eq_ignore_ascii_case("bearer") {
        return Err(RotatorError::misconfigured(format!(
            "{peer} answers with a token of another type than bearer; correct the URL"
        ))
        .with_code(code(&reply)));
    }
    Ok(Minted { token, token_type })
}

/// Makes the provider forget this token of this key.
pub(super) async fn invalidate(
    settings: &BearerSettings,
    key: &ApiKey,
    token: &SecretString,
    cx: &Context,
) -> Result<(), RotatorError> {
    let peer = Peer {
        role: "the invalidation URL",
        endpoint: &settings.invalidate_url,
    };
    // X hands tokens out with percent escapes in them, and takes them back in the same letters.
    let plain = decode(token.expose_secret());
    let body = format!("access_token={}", *encode(&plain));
    let request = request(Method::POST, peer.endpoint)?;
    let request = match settings.invalidation {
        Invalidation::Basic => basic(request, key),
        Invalidation::OwnerSignature => {
            let header = signature(key, peer.endpoint, &plain)?;
            request.header(AUTHORIZATION, sensitive(&header)?)
        }
    };
    let request = request.header(CONTENT_TYPE, FORM).body(body);
    let reply = http::send(request, peer, settings.timeout, cx).await?;
    if reply.status.is_success() && provider_code(&reply).is_none() {
        return Ok(());
    }
    Err(refusal(&reply, peer, CHECK_THE_OWNER))
}

/// Whether the provider serves a request with this token.
pub(super) async fn probe(
    settings: &BearerSettings,
    token: &SecretString,
    cx: &Context,
) -> Result<Verdict, RotatorError> {
    let peer = Peer {
        role: "the test URL",
        endpoint: &settings.test_url,
    };
    let bearer = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
    let request = request(Method::GET, peer.endpoint)?.header(AUTHORIZATION, sensitive(&bearer)?);
    let reply = http::send(request, peer, settings.timeout, cx).await?;
    match reply.status {
        StatusCode::OK if holds_any(&reply, &settings.test_members) => Ok(Verdict::Accepted),
        StatusCode::OK if provider_code(&reply).is_none() => {
            Err(RotatorError::misconfigured(format!(
                "{peer} answers without {}; correct the URL, or the members that its answer is to have",
                settings.test_members.join(" or ")
            ))
            .with_code(code(&reply)))
        }
        StatusCode::UNAUTHORIZED => Ok(Verdict::Rejected),
        StatusCode::FORBIDDEN
            if provider_code(&reply).is_some_and(|code| WRONG_TOKEN.contains(&&*code)) =>
        {
            Ok(Verdict::Rejected)
        }
        _ => Err(refusal(
            &reply,
            peer,
            "check that the app has access to what is asked for",
        )),
    }
}

fn request(method: Method, endpoint: &Endpoint) -> Result<RequestBuilder, RotatorError> {
    Ok(http::client()?.request(method, endpoint.url().clone()))
}

/// RFC 6749, section 2.3.1: both are encoded first.
fn basic(request: RequestBuilder, key: &ApiKey) -> RequestBuilder {
    let user = encode(key.key.expose_secret().as_bytes());
    let password = encode(key.secret.expose_secret().as_bytes());
    request.basic_auth(&*user, Some(&*password))
}

fn signature(
    key: &ApiKey,
    endpoint: &Endpoint,
    token: &[u8],
) -> Result<Zeroizing<String>, RotatorError> {
    let Some(owner) = &key.owner else {
        return Err(RotatorError::misconfigured(
            "invalidation is to be signed, and `owner_token` is missing; add it and `owner_token_secret` to \
             the secret that `masterarn` names",
        ));
    };
    let signer = Signer {
        consumer_key: key.key.expose_secret(),
        consumer_secret: key.secret.expose_secret(),
        token: owner.token.expose_secret(),
        token_secret: owner.secret.expose_secret(),
    };
    let form = [("access_token", token)];
    Ok(signer.authorization("POST", endpoint.url(), &form, &Moment::now()?))
}

/// A header that no Debug shows.
fn sensitive(value: &str) -> Result<HeaderValue, RotatorError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        RotatorError::misconfigured("a key of the secret cannot be part of a header; correct it")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn holds_any(reply: &Reply, members: &[String]) -> bool {
    let document = reply.document();
    document
        .keys()
        .any(|key| members.iter().any(|member| member == key))
}
