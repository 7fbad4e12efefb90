//! A proxy for a service that speaks AWS' JSON protocol, or its query protocol.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use hyper::{Request, Response, StatusCode};
use serde_json::Value;

use super::script::{Fault, Hook, Script, to_the_end};
use crate::http::{self, HttpServer, NoAnswer, Reply};
use crate::query;

/// A request that the proxy got.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The operation, such as `PutSecretValue`: from `X-Amz-Target`, or the `Action` of the query
    /// protocol; else empty.
    pub operation: String,
    /// Method and path, such as `GET /api/users/app`.
    pub request: String,
    /// The body; null if it is not JSON.
    pub body: Value,
    /// The trace that it belongs to, from `X-Amzn-Trace-Id`.
    pub trace: Option<String>,
}

/// What happens to a call at its fault.
#[derive(Clone, Debug)]
pub enum HttpAction {
    /// The caller gets an error of the service, such as 400 and `ThrottlingException`.
    Status {
        /// The HTTP status.
        code: u16,
        /// The exception's name.
        aws_code: String,
    },
    /// The caller gets no answer, and the connection stays open.
    Hang,
    /// The connection is closed without an answer.
    Drop,
    /// The caller gets a page of HTML with status 200.
    Garbage,
    /// The hook runs, then the call goes on as if nothing had happened.
    Call(Hook),
    /// The hook runs, then the connection is closed without an answer: what a killed caller sees.
    CallAndDrop(Hook),
}

/// The proxy; its connections end on drop.
#[derive(Debug)]
pub struct HttpProxy {
    server: HttpServer,
    script: Arc<HttpScript>,
}

type HttpScript = Script<HttpAction, Call>;

impl HttpProxy {
    /// Starts a proxy in front of `upstream`, such as `http://127.0.0.1:5000`.
    ///
    /// # Panics
    /// If that is not `http://` with an IP address and a port.
    pub async fn start(upstream: &str) -> Self {
        let address = http::address_of(upstream);
        let script = Arc::new(Script::new());
        let shared = Arc::clone(&script);
        let handler = move |request| handle(Arc::clone(&shared), address, request);
        Self {
            server: HttpServer::start(handler).await,
            script,
        }
    }

    /// The address for clients, such as `http://127.0.0.1:40001`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// A fault for exactly that call.
    pub fn fault_at(&self, call: usize, fault: Fault<HttpAction>) {
        self.script.fault_at(call, fault);
    }

    /// A fault for that call and every later one, until it is cleared. [`fault_at`] goes first.
    ///
    /// [`fault_at`]: Self::fault_at
    pub fn fault_from(&self, call: usize, fault: Fault<HttpAction>) {
        self.script.fault_from(call, fault);
    }

    /// No more faults. The calls are still counted.
    pub fn clear_faults(&self) {
        self.script.clear_faults();
    }

    /// No more faults, no calls recorded, and the next call is the first.
    pub fn reset(&self) {
        self.script.reset();
    }

    /// Every call since the start or the last reset, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.script.records()
    }

    /// The names of [`calls`](Self::calls).
    pub fn operations(&self) -> Vec<String> {
        self.calls()
            .into_iter()
            .map(|call| call.operation)
            .collect()
    }

    /// Waits until that many calls have come.
    pub async fn reached(&self, calls: usize) {
        self.script.reached(calls).await;
    }
}

async fn handle(script: Arc<HttpScript>, upstream: SocketAddr, request: Request<Bytes>) -> Reply {
    let target = request.headers().get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok()?.split('.').next_back());
    let form = String::from_utf8_lossy(request.body());
    let action = query::field(&form, "Action").filter(|_| target.is_none());
    let form_goes_in = action.is_some();
    let trace = request.headers().get("x-amzn-trace-id");
    let trace = trace.and_then(|trace| trace.to_str().ok());
    let fault = script.next(Call {
        operation: action.unwrap_or_else(|| target.unwrap_or_default().to_owned()),
        request: format!("{} {}", request.method(), request.uri().path()),
        body: serde_json::from_slice(request.body()).unwrap_or_default(),
        trace: trace.map(str::to_owned),
    });
    let forwarded = forward(upstream, request);
    match fault {
        None => to_the_end(forwarded).await,
        Some(Fault::Before(action)) => match perform(&action, form_goes_in).await {
            Some(reply) => reply,
            None => to_the_end(forwarded).await,
        },
        Some(Fault::After(action)) => {
            let reply = to_the_end(forwarded).await;
            perform(&action, form_goes_in).await.unwrap_or(reply)
        }
    }
}

/// What to answer instead of the upstream's reply; nothing if the call is to go on.
async fn perform(action: &HttpAction, query: bool) -> Option<Reply> {
    match action {
        HttpAction::Status { code, aws_code } if query => {
            Some(Ok(query::error(*code, aws_code, "a fault made on purpose")))
        }
        HttpAction::Status { code, aws_code } => {
            let body =
                serde_json::json!({"__type": aws_code, "message": "a fault made on purpose"});
            let status = StatusCode::from_u16(*code).expect("a valid HTTP status");
            let json = "application/x-amz-json-1.1";
            Some(Ok(http::answer(status, json, body.to_string())))
        }
        HttpAction::Garbage => {
            let page = "<html><body>It works!</body></html>";
            Some(Ok(http::answer(StatusCode::OK, "text/html", page)))
        }
        HttpAction::Hang => std::future::pending().await,
        HttpAction::Drop => Some(Err(NoAnswer)),
        HttpAction::Call(hook) => {
            hook.run().await;
            None
        }
        HttpAction::CallAndDrop(hook) => {
            hook.run().await;
            Some(Err(NoAnswer))
        }
    }
}

async fn forward(upstream: SocketAddr, request: Request<Bytes>) -> Reply {
    let (mut parts, body) = request.into_parts();
    remove_hop_headers(&mut parts.headers);
    let request = Request::from_parts(parts, Full::new(body));
    // An upstream that is gone looks to the caller as it would without the proxy: no answer.
    let response = http::send(upstream, request).await.map_err(|_| NoAnswer)?;
    let (mut parts, body) = response.into_parts();
    remove_hop_headers(&mut parts.headers);
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// Headers that speak of one connection only; the next one gets its own.
fn remove_hop_headers(headers: &mut HeaderMap) {
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
}
