//! An HTTP client of one request a connection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use harness::oidc::OidcProvider;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null where there is no body.
    pub(crate) body: Value,
}

impl Answer {
    /// The status and the error code, such as `(400, "invalid_grant")`.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["error"].as_str().unwrap_or("none"))
    }

    /// A member of the body of a success.
    pub(crate) fn text(&self, member: &str) -> String {
        assert!(self.status < 300, "{self:?}");
        let text = self.body[member].as_str();
        text.unwrap_or_else(|| panic!("no {member} in {self:?}"))
            .to_owned()
    }
}

/// The header that authenticates a client; both parts are form-encoded (RFC 6749, section 2.3.1).
pub(crate) fn basic(id: &str, secret: &str) -> String {
    raw_basic(&encode(id), &encode(secret))
}

/// As [`basic`], with nothing encoded.
pub(crate) fn raw_basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// Posts a form with that `Authorization`, if it is not empty.
pub(crate) async fn post(url: &str, authorization: &str, form: &[(&str, &str)]) -> Answer {
    sent(try_post(url, authorization, form).await)
}

/// As [`post`]; nothing if the connection is closed without an answer.
pub(crate) async fn try_post(
    url: &str,
    authorization: &str,
    form: &[(&str, &str)],
) -> Option<Answer> {
    let request = form_request(url, authorization, form);
    exchange(TcpStream::connect(address(url)).await.ok()?, request).await
}

/// Asks the resource with a token: the status.
pub(crate) async fn resource(server: &OidcProvider, token: &str) -> u16 {
    let url = server.resource_url();
    let answer = send(Method::GET, &url, &format!("Bearer {token}"), None).await;
    sent(answer).status
}

/// Sends JSON, or nothing, with a bearer token; nothing if there is no answer.
pub(crate) async fn send(
    method: Method,
    url: &str,
    authorization: &str,
    body: Option<&Value>,
) -> Option<Answer> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = request(method, url, authorization, "application/json", body);
    exchange(TcpStream::connect(address(url)).await.ok()?, request).await
}

pub(crate) fn sent(answer: Option<Answer>) -> Answer {
    answer.expect("the server answers")
}

pub(crate) fn form_request(
    url: &str,
    authorization: &str,
    form: &[(&str, &str)],
) -> Request<Full<Bytes>> {
    let pairs = form
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect::<Vec<_>>();
    let kind = "application/x-www-form-urlencoded";
    request(Method::POST, url, authorization, kind, pairs.join("&"))
}

fn request(
    method: Method,
    url: &str,
    authorization: &str,
    kind: &str,
    body: String,
) -> Request<Full<Bytes>> {
    let (_, rest) = url.split_once("://").expect("a URL");
    let mut builder = Request::builder()
        .method(method)
        .uri(&rest[rest.find('/').expect("a path")..])
        .header("host", address(url))
        .header("accept", "application/json");
    if !authorization.is_empty() {
        builder = builder.header("authorization", authorization);
    }
    if !body.is_empty() {
        builder = builder.header("content-type", kind);
    }
    builder
        .body(Full::new(body.into()))
        .expect("a valid request")
}

/// Sends a request over an open stream.
pub(crate) async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Option<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await.ok()?.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).unwrap_or_else(|_| panic!("not JSON: {body:?}"))
    };
    Some(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    })
}

/// The address and port in a URL.
pub(crate) fn address(url: &str) -> &str {
    let (_, rest) = url.split_once("://").expect("a URL");
    rest.split('/').next().expect("an address")
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                (byte as char).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
