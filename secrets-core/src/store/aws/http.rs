//! What carries the requests of an SDK client: HTTP/1.1 over rustls.
//!
//! The SDK's own carrier (`aws-smithy-http-client`) speaks HTTP/2, too, and reads the certificates of the system when a
//! client is made: nine tenths of what a function would do before it asks for its first event.

mod failure;
mod trust;

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_secretsmanager::config::http::{HttpRequest, HttpResponse};
use aws_sdk_secretsmanager::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{
    self as sockets, CaptureConnection, HttpInfo, capture_connection,
};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tower_service::Service;

use failure::{TookTooLong, of_hyper};

/// What becomes of a connection after its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// It is kept for the next request.
    Kept,
    /// It is closed. A request on a kept one may go out twice: when it was closed meanwhile, it is sent anew.
    OneARequest,
}

/// What carries the requests of an SDK client: for the `http_client` of its configuration.
///
/// Servers are verified against the public authorities (Mozilla's); what comes from none of them, against those of
/// the system, `SSL_CERT_FILE` and `SSL_CERT_DIR` included. HTTP/1.1, no proxy. A connection may take as long as the
/// configuration of the client says that uses this first.
///
/// ```
/// use secrets_core::store::aws::{Connections, http_client};
///
/// let config = aws_sdk_secretsmanager::Config::builder().http_client(http_client(Connections::Kept));
/// ```
pub fn http_client(connections: Connections) -> SharedHttpClient {
    SharedHttpClient::new(Carrier {
        connections,
        connector: OnceLock::new(),
    })
}

/// It makes nothing before the first request.
#[derive(Debug)]
struct Carrier {
    connections: Connections,
    connector: OnceLock<SharedHttpConnector>,
}

impl HttpClient for Carrier {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let make = || {
            SharedHttpConnector::new(Connector::new(self.connections, settings.connect_timeout()))
        };
        self.connector.get_or_init(make).clone()
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some(Cow::Borrowed("1.x"))))
    }
}

/// Nothing where TLS cannot be set up: then each request fails.
struct Connector(Option<Client<InTime, SdkBody>>);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl Connector {
    fn new(connections: Connections, limit: Option<Duration>) -> Self {
        Self(trust::client_config().map(|tls| client(tls, connections, limit)))
    }
}

fn client(
    tls: ClientConfig,
    connections: Connections,
    limit: Option<Duration>,
) -> Client<InTime, SdkBody> {
    let mut plain = sockets::HttpConnector::new();
    plain.set_nodelay(true);
    // The TLS connector tells `https` from `http`, which emulators have.
    plain.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(plain);
    let mut client = Client::builder(TokioExecutor::new());
    // Without a timer, connections that have long been idle are kept.
    client.pool_timer(TokioTimer::new());
    if connections == Connections::OneARequest {
        client.pool_max_idle_per_host(0);
    }
    client.build(InTime { connector, limit })
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(client) = &self.0 else {
            let fault = ConnectorError::other("TLS could not be set up".into(), None);
            return HttpConnectorFuture::ready(Err(fault));
        };
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(fault) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(fault.into())));
            }
        };
        let connection = capture_connection(&mut request);
        if let Some(of_sdk) = request.extensions().get::<CaptureSmithyConnection>() {
            of_sdk.set_connection_retriever(move || metadata(&connection));
        }
        let answer = client.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(of_hyper)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|fault| ConnectorError::other(fault.into(), None))
        })
    }
}

/// With this the SDK closes a connection on which an answer failed to come, before it tries again.
fn metadata(captured: &CaptureConnection) -> Option<ConnectionMetadata> {
    let mut of_socket = hyper::http::Extensions::new();
    captured
        .connection_metadata()
        .as_ref()?
        .get_extras(&mut of_socket);
    let addresses = of_socket.get::<HttpInfo>();
    let captured = captured.clone();
    let mut metadata = ConnectionMetadata::builder()
        .proxied(false)
        .poison_fn(move || {
            if let Some(connection) = captured.connection_metadata().as_ref() {
                connection.poison();
            }
        });
    metadata
        .set_local_addr(addresses.map(HttpInfo::local_addr))
        .set_remote_addr(addresses.map(HttpInfo::remote_addr));
    Some(metadata.build())
}

/// Connects, TLS included, within a time.
#[derive(Clone)]
struct InTime {
    connector: HttpsConnector<sockets::HttpConnector>,
    limit: Option<Duration>,
}

type Fault = Box<dyn std::error::Error + Send + Sync>;
type Stream = <HttpsConnector<sockets::HttpConnector> as Service<Uri>>::Response;

impl Service<Uri> for InTime {
    type Response = Stream;
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Fault>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.connector.call(uri);
        match self.limit {
            None => Box::pin(connecting),
            Some(limit) => Box::pin(async move {
                let connected = tokio::time::timeout(limit, connecting).await;
                connected.map_err(|_| TookTooLong)?
            }),
        }
    }
}
