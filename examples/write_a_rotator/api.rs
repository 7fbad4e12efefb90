//! How the service is asked: over HTTP, each request once and in time.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::{Context, RotatorError};

use crate::rotator::Key;

/// How long an answer may take, also where the engine would wait longer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Api(Client);

impl Api {
    pub(crate) fn new() -> reqwest::Result<Self> {
        // No request is sent twice, no key goes to another address than the secret's.
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .no_proxy()
            .tls_backend_preconfigured(tls());
        http.build().map(Self)
    }

    /// A request that logs in with this key.
    pub(crate) fn request(&self, method: Method, path: &[&str], login: &Key) -> RequestBuilder {
        let mut url = login.url.clone();
        // What has no path, such as `mailto:`, cannot be sent to either: `answer` says so.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.0
            .request(method, url)
            .bearer_auth(login.value.expose_secret())
    }
}

/// Sends a request. An answer that is not among the expected ones is an error, without its text.
pub(crate) async fn answer(
    request: RequestBuilder,
    expected: &[u16],
    cx: &Context,
) -> Result<(StatusCode, SecretDocument), RotatorError> {
    let request = request.timeout(cx.remaining().min(PATIENCE));
    let reply = request.send().await.map_err(no_answer)?;
    let status = reply.status();
    if expected.contains(&status.as_u16()) {
        let body = reply.text().await.map_err(no_answer)?;
        return Ok((status, SecretDocument::from_text(&body)));
    }
    let fault = if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        RotatorError::unreachable("the service cannot answer now; try again later")
    } else {
        RotatorError::refused("the service refuses this; check what the key may do")
    };
    Err(fault.with_code(status.as_str()))
}

/// Named in full: in this workspace `reqwest` has no provider of its own, and would panic without this.
fn tls() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("ring has the ciphers of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
fn no_answer(fault: reqwest::Error) -> RotatorError {
    if fault.is_builder() {
        RotatorError::misconfigured("there is no such request; correct `url` and `key`")
    } else {
        RotatorError::unreachable("the service does not answer; check `url` and the way there")
    }
}
