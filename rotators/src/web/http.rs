//! One request, one reply: within a time, of bounded length, sent once, to where it was meant to go.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};
use secrecy::zeroize::Zeroizing;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::{Context, RotatorError};
use tokio::time::{Instant, timeout_at};

use super::Endpoint;
use super::json::Json;

/// The longest reply that is read, in bytes: as much as a secret may hold.
const MAX_REPLY: usize = 64 * 1024;

/// Who is asked, as errors name it.
#[derive(Clone, Copy)]
pub(crate) struct Peer<'a> {
    /// Such as "the token URL".
    pub(crate) role: &'static str,
    pub(crate) endpoint: &'a Endpoint,
}

impl fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.role, self.endpoint.authority())
    }
}

/// What came back, whole.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// In seconds.
    pub(crate) retry_after: Option<u64>,
    body: Zeroizing<Vec<u8>>,
}

impl Reply {
    /// The body as a JSON object or whatever it is: it may hold secrets.
    pub(crate) fn document(&self) -> SecretDocument {
        match std::str::from_utf8(&self.body) {
            Ok(text) => SecretDocument::from_text(text),
            Err(_) => SecretDocument::from_text(""),
        }
    }

    /// The body as JSON of any form; `None` where it is none.
    pub(crate) fn json(&self) -> Option<Json> {
        Json::parse(&self.body)
    }

    #[cfg(test)]
    pub(crate) fn of(status: u16, body: &str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or_default(),
            retry_after: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }
}

/// What sends requests. It keeps no connections, so there is nothing to remember between calls.
pub(crate) fn client() -> Result<&'static Client, RotatorError> {
    static CLIENT: OnceLock<Option<Client>> = OnceLock::new();
    CLIENT.get_or_init(build).as_ref().ok_or_else(|| {
        RotatorError::tls("no TLS client could be made; report this as a fault of the rotator")
    })
}

fn build() -> Option<Client> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    // The provider is named: a process may hold two, and then has no default.
    let provider = rustls::crypto::ring::default_provider();
    let mut tls = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.resumption = Resumption::disabled();
    Client::builder()
        .tls_backend_preconfigured(tls)
        // Each of these would send a secret, or change something, once more or elsewhere.
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .pool_max_idle_per_host(0)
        .user_agent("secret-rotation")
        .build()
        .ok()
}

/// Sends a request once and reads its reply.
pub(crate) async fn send(
    request: RequestBuilder,
    peer: Peer<'_>,
    timeout: Duration,
    cx: &Context,
) -> Result<Reply, RotatorError> {
    let deadline = cx.deadline().min(Instant::now() + timeout);
    let exchange = async {
        let answer = request.send().await;
        read(answer.map_err(|fault| broken(&fault, peer))?, peer).await
    };
    timeout_at(deadline, exchange).await.unwrap_or_else(|_| {
        Err(RotatorError::unreachable(format!(
            "{peer} did not answer in time; check the URL, and the function's way out to the internet (NAT \
             gateway, security groups), then try again"
        )))
    })
}

async fn read(mut answer: Response, peer: Peer<'_>) -> Result<Reply, RotatorError> {
    let retry_after = answer.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|after| after.to_str().ok()?.trim().parse().ok());
    let mut body = Zeroizing::new(Vec::with_capacity(MAX_REPLY));
    while let Some(chunk) = answer.chunk().await.map_err(|fault| broken(&fault, peer))? {
        if body.len() + chunk.len() > MAX_REPLY {
            return Err(RotatorError::misconfigured(format!(
                "{peer} answers with more than 64 KiB, so it is not what it should be; correct the URL"
            ))
            .with_code(answer.status().as_u16().to_string()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply {
        status: answer.status(),
        retry_after,
        body,
    })
}

/// Its own words hold the URL and may hold more: they are not repeated.
fn broken(fault: &reqwest::Error, peer: Peer<'_>) -> RotatorError {
    if is_of_tls(fault) {
        return RotatorError::tls(format!(
            "the identity of {peer} could not be verified; correct the URL, or its certificate, which must \
             come from a public authority"
        ));
    }
    if fault.is_connect() {
        return RotatorError::unreachable(format!(
            "{peer} takes no connection; check the URL, and the function's way out to the internet (NAT \
             gateway, security groups), then try again"
        ));
    }
    RotatorError::unreachable(format!(
        "{peer} closed the connection before its answer was complete; try again, which is safe also where \
         the request had its effect"
    ))
}

/// Connectors wrap errors in I/O errors, which may hold another one, and whose source is not what they
/// hold but the source of that.
fn is_of_tls(fault: &(dyn Error + 'static)) -> bool {
    let held = fault
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    fault.is::<rustls::Error>()
        || held.is_some_and(|held| is_of_tls(held))
        || fault.source().is_some_and(is_of_tls)
}
