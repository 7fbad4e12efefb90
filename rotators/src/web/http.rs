//! One request, one reply: within a time, of bounded length, sent once, to where it was meant to go.

use std::error::Error;
use std::fmt;
use std::io;
#[cfg(feature = "rabbitmq")]
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use secrecy::zeroize::Zeroizing;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::{Context, RotatorError};
use tokio::time::{Instant, timeout_at};

use super::Endpoint;
use super::json::{Json, Pointer};

/// The longest reply that is read, in bytes: as much as a secret may hold.
const MAX_REPLY: usize = 64 * 1024;

/// For TCP and TLS. Within it, it is certain that nothing was sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// Where the provider's code stands, if in a place of its own.
    pub(crate) code_at: Option<Pointer>,
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
            code_at: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }
}

/// The authorities that a provider's certificate may come from, where they are not the public ones.
#[derive(Clone, Debug)]
pub struct Authorities(Vec<CertificateDer<'static>>);

/// No certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one or more certificates in PEM form")]
pub struct InvalidCertificates;

impl Authorities {
    /// Reads certificates of authorities, in PEM form.
    ///
    /// # Errors
    /// [`InvalidCertificates`]: something else, or none.
    pub fn parse(pem: &str) -> Result<Self, InvalidCertificates> {
        let authorities = certificates(pem)?;
        roots(Some(&authorities)).ok_or(InvalidCertificates)?;
        Ok(Self(authorities))
    }

    /// Those that a secret or a function names.
    #[cfg(feature = "rabbitmq")]
    pub(crate) fn of(own: &crate::tls::CaCertificates) -> Self {
        Self(own.certificates().to_vec())
    }
}

/// The certificates of a PEM text; at least one.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, InvalidCertificates> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    certificates
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or(InvalidCertificates)
}

/// What a client shows for itself in the TLS handshake.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// What sends requests. It keeps no connections, so there is nothing to remember between calls.
pub(crate) fn client() -> Result<&'static Client, RotatorError> {
    static CLIENT: OnceLock<Option<Client>> = OnceLock::new();
    CLIENT
        .get_or_init(|| build(None, None))
        .as_ref()
        .ok_or_else(no_client)
}

/// The same with authorities or an identity of its own.
pub(crate) fn client_with(
    authorities: Option<&Authorities>,
    identity: Option<Identity>,
) -> Result<Client, RotatorError> {
    if authorities.is_none() && identity.is_none() {
        return client().cloned();
    }
    let shown = identity.is_some();
    build(authorities, identity).ok_or_else(|| {
        if shown {
            RotatorError::misconfigured(
                "`certificate` and `private_key` do not belong together, or are of a kind that TLS does not \
                 know; correct the client's secret",
            )
        } else {
            no_client()
        }
    })
}

/// The same for a server that is found at these addresses, and whose certificate holds this name.
#[cfg(feature = "rabbitmq")]
pub(crate) fn client_reaching(
    authorities: Option<&Authorities>,
    (name, addresses): (&str, &[SocketAddr]),
) -> Result<Client, RotatorError> {
    let client = builder(authorities, None).ok_or_else(no_client)?;
    let client = client.resolve_to_addrs(name, addresses);
    client.build().map_err(|_| no_client())
}

fn no_client() -> RotatorError {
    RotatorError::tls("no TLS client could be made; report this as a fault of the rotator")
}

fn roots(authorities: Option<&[CertificateDer<'static>]>) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(authorities) => {
            for authority in authorities {
                roots.add(authority.clone()).ok()?;
            }
        }
    }
    Some(roots)
}

fn build(authorities: Option<&Authorities>, identity: Option<Identity>) -> Option<Client> {
    builder(authorities, identity)?.build().ok()
}

fn builder(authorities: Option<&Authorities>, identity: Option<Identity>) -> Option<ClientBuilder> {
    // The provider is named: a process may hold two, and then has no default.
    let provider = rustls::crypto::ring::default_provider();
    let tls = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots(authorities.map(|own| own.0.as_slice()))?);
    let mut tls = match identity {
        None => tls.with_no_client_auth(),
        Some(own) => tls.with_client_auth_cert(own.chain, own.key).ok()?,
    };
    tls.resumption = Resumption::disabled();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        // So that a provider out of reach is told from one that was asked and does not answer.
        .connect_timeout(CONNECT_TIMEOUT)
        // Each of these would send a secret, or change something, once more or elsewhere.
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .pool_max_idle_per_host(0)
        .user_agent("secret-rotation");
    Some(client)
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
        code_at: None,
        body,
    })
}

/// Its own words hold the URL and may hold more: they are not repeated.
fn broken(fault: &reqwest::Error, peer: Peer<'_>) -> RotatorError {
    if is_of_tls(fault) {
        let fault_of_tls = RotatorError::tls(format!(
            "the identity of {peer} could not be verified; correct the URL, or its certificate, which must \
             come from a public authority or one that is configured"
        ));
        // Only during the handshake is it certain that nothing was sent.
        return if fault.is_connect() {
            fault_of_tls.having_changed_nothing()
        } else {
            fault_of_tls
        };
    }
    if fault.is_connect() {
        return RotatorError::unreachable(format!(
            "{peer} takes no connection; check the URL, and the function's way out to the internet (NAT \
             gateway, security groups), then try again"
        ))
        .having_changed_nothing();
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
