//! Lamplight, an invented service with API keys under names; in this process, behind a real socket.
//!
//! ```text
//! POST   /keys {"name": ...}   200 {"key": ...}: the key of this name, made if there is none
//! GET    /whoami               200
//! DELETE /keys/{name}          204, or 404
//! ```
//!
//! Each wants `Authorization: Bearer <key>`, and answers 401 to a key that it does not know.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::testing::Target;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

/// How the service fails while it is out of reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outage {
    /// Answers with this status.
    Status(StatusCode),
    /// Closes the connection instead of answering.
    HangsUp,
    /// Takes the request and never answers.
    Silent,
}

/// Stops when dropped.
pub(crate) struct Service {
    address: SocketAddr,
    task: AbortHandle,
    state: Arc<Mutex<State>>,
    outage: Outage,
}

#[derive(Default)]
struct State {
    /// Key by name.
    keys: BTreeMap<String, String>,
    made: usize,
    refused: usize,
    outage: Option<Outage>,
}

impl Service {
    pub(crate) async fn start(outage: Outage) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::default();
        let task = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Ok(Self {
            address,
            task,
            state,
            outage,
        })
    }

    /// A secret with a key that the service knows.
    pub(crate) fn first_secret(&self) -> SecretDocument {
        let key = lock(&self.state).make("first");
        let secret = json!({
            "url": format!("http://{}", self.address), "key_id": "first", "key": key, "rooms": [1, 2],
        });
        SecretDocument::from_text(&secret.to_string())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The truth: looked up in the state, not asked over HTTP.
impl Target for Service {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let (Ok(id), Ok(key)) = (secret.text("key_id"), secret.text("key")) else {
            return false;
        };
        let state = lock(&self.state);
        let held = state.keys.get(id.expose_secret());
        held.is_some_and(|held| held == key.expose_secret())
    }

    async fn live(&self) -> Option<usize> {
        Some(lock(&self.state).keys.len())
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(lock(&self.state).refused)
    }

    async fn outage(&self, on: bool) -> bool {
        lock(&self.state).outage = on.then_some(self.outage);
        true
    }
}

impl State {
    /// Makes the key of that name, or finds it.
    fn make(&mut self, name: &str) -> String {
        let key = self.keys.entry(name.to_owned()).or_insert_with(|| {
            self.made += 1;
            format!("lamplight-key-{}", self.made)
        });
        key.clone()
    }

    fn answer(&mut self, request: &Request<Bytes>) -> (StatusCode, Value) {
        let key = key_in(request.headers());
        if !self.keys.values().any(|held| held == key) {
            self.refused += 1;
            return (StatusCode::UNAUTHORIZED, refusal(request.headers()));
        }
        let path: Vec<_> = request.uri().path().split('/').skip(1).collect();
        match (request.method(), &path[..]) {
            (&Method::GET, ["whoami"]) => (StatusCode::OK, Value::Null),
            (&Method::POST, ["keys"]) => {
                let body = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
                let Some(name) = body["name"].as_str() else {
                    return (StatusCode::UNPROCESSABLE_ENTITY, Value::Null);
                };
                (StatusCode::OK, json!({ "key": self.make(name) }))
            }
            (&Method::DELETE, ["keys", name]) => match self.keys.remove(*name) {
                Some(_) => (StatusCode::NO_CONTENT, Value::Null),
                None => (StatusCode::NOT_FOUND, Value::Null),
            },
            _ => (StatusCode::NOT_FOUND, Value::Null),
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) -> Infallible {
    // Owned by this task, so that they end with it.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(request, Arc::clone(&state)));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let outage = lock(&state).outage;
    let (status, json) = match outage {
        None => lock(&state).answer(&Request::from_parts(parts, body)),
        Some(Outage::Status(status)) => (status, refusal(&parts.headers)),
        // An error makes hyper close the connection.
        Some(Outage::HangsUp) => return Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Outage::Silent) => std::future::pending().await,
    };
    let mut response = Response::new(Full::new(Bytes::from(json.to_string())));
    *response.status_mut() = status;
    Ok(response)
}

fn key_in(headers: &HeaderMap) -> &str {
    let header = headers.get(AUTHORIZATION).map(HeaderValue::to_str);
    let key = header.and_then(|text| text.ok()?.strip_prefix("Bearer "));
    key.unwrap_or_default()
}

/// Says what it was sent, as careless services do: none of it may get into an error.
fn refusal(headers: &HeaderMap) -> Value {
    json!({ "error": format!("not with {}", key_in(headers)) })
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
