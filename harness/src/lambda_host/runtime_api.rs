//! The Lambda Runtime API for one process.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::invocation::Invocation;
use super::sandbox::FUNCTION_ARN;
use crate::http::{self, Answer, HttpServer};
use crate::random;

const VERSION: &str = "/2018-06-01/runtime/";

/// An event on its way to the function.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) payload: Bytes,
    pub(super) timeout: Duration,
    /// Told the deadline when the function has taken the event.
    pub(super) taken: oneshot::Sender<Instant>,
    /// Told the function's answer.
    pub(super) answer: oneshot::Sender<Invocation>,
}

/// The API's server. Each process has its own, so that the requests of a killed one cannot take an
/// event meant for its successor.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    server: HttpServer,
    events: mpsc::UnboundedSender<Event>,
    init_error: watch::Receiver<Option<Bytes>>,
}

impl RuntimeApi {
    pub(super) async fn start() -> Self {
        let (events, queue) = mpsc::unbounded_channel();
        let (report_init_error, init_error) = watch::channel(None);
        let desk = Arc::new(Desk {
            queue: tokio::sync::Mutex::new(queue),
            current: Mutex::default(),
            init_error: report_init_error,
        });
        let handler = move |request| {
            let desk = Arc::clone(&desk);
            async move { Ok(desk.handle(request).await) }
        };
        Self {
            server: HttpServer::start(handler).await,
            events,
            init_error,
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(super) fn send(&self, event: Event) {
        self.events.send(event).expect("the server holds the queue");
    }

    pub(super) fn has_init_error(&self) -> bool {
        self.init_error.borrow().is_some()
    }

    /// The report of a failed initialisation; pending while there is none.
    pub(super) async fn init_error(&self) -> Bytes {
        let mut report = self.init_error.clone();
        let report = report.wait_for(Option::is_some).await;
        let report = report.expect("the server holds the sender");
        report.clone().expect("waited for it")
    }
}

/// What the handlers share.
struct Desk {
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    /// The event that the function is working on: its request id, and where its answer goes.
    current: Mutex<Option<(String, oneshot::Sender<Invocation>)>>,
    init_error: watch::Sender<Option<Bytes>>,
}

impl Desk {
    async fn handle(&self, request: Request<Bytes>) -> Answer {
        let path = request
            .uri()
            .path()
            .strip_prefix(VERSION)
            .map(str::to_owned);
        let steps: Vec<&str> = path.iter().flat_map(|path| path.split('/')).collect();
        match (request.method(), steps.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => {
                self.conclude(id, Invocation::Response(request.into_body()))
            }
            (&Method::POST, ["invocation", id, "error"]) => {
                self.conclude(id, Invocation::from_error_report(request.into_body()))
            }
            (&Method::POST, ["init", "error"]) => {
                self.init_error.send_replace(Some(request.into_body()));
                accepted()
            }
            _ => refused(StatusCode::NOT_FOUND, "no such path in the Runtime API"),
        }
    }

    async fn next(&self) -> Answer {
        let Some(event) = self.queue.lock().await.recv().await else {
            return refused(StatusCode::GONE, "the host has ended");
        };
        let id = random::uuid();
        let trace = format!(
            "Root=1-{:08x}-{:024x};Sampled=0",
            random::number() >> 32,
            random::number()
        );
        let deadline = SystemTime::now() + event.timeout;
        let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH);
        let deadline_ms = deadline.expect("the clock is right").as_millis();
        *self.current.lock().expect("not poisoned") = Some((id.clone(), event.answer));
        // The one who waits may have given up; the function then answers in vain.
        let _ = event.taken.send(Instant::now() + event.timeout);
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", id)
            .header("lambda-runtime-deadline-ms", deadline_ms.to_string())
            .header("lambda-runtime-invoked-function-arn", FUNCTION_ARN)
            .header("lambda-runtime-trace-id", trace)
            .body(Full::new(event.payload));
        response.expect("the headers are valid")
    }

    fn conclude(&self, id: &str, invocation: Invocation) -> Answer {
        let mut current = self.current.lock().expect("not poisoned");
        match current.take_if(|(running, _)| running == id) {
            Some((_, answer)) => {
                // See above: nobody may be waiting any more.
                let _ = answer.send(invocation);
                accepted()
            }
            None => refused(StatusCode::BAD_REQUEST, "no such invocation is running"),
        }
    }
}

fn accepted() -> Answer {
    http::answer(
        StatusCode::ACCEPTED,
        "application/json",
        r#"{"status":"OK"}"#,
    )
}

fn refused(status: StatusCode, message: &str) -> Answer {
    let body = serde_json::json!({"errorType": "InvalidRequest", "errorMessage": message});
    http::answer(status, "application/json", body.to_string())
}
