//! The Lambda Runtime API for one process, over loopback. See the page "Using the Lambda runtime API".

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use super::Answer;

const VERSION: &str = "/2018-06-01/runtime/";
const FUNCTION_ARN: &str = "arn:aws:lambda:local:000000000000:function:local";

/// How long a process may take to ask for its first event, as in the service.
const INITIALISATION: Duration = Duration::from_secs(10);

/// A function's process, and the interface that it talks to; killed on drop.
pub(crate) struct Host {
    child: Child,
    events: mpsc::Sender<Event>,
    answers: mpsc::Receiver<Answer>,
    count: u32,
}

struct Event {
    id: String,
    payload: String,
    deadline: SystemTime,
}

/// What the connections share.
struct Desk {
    events: Mutex<mpsc::Receiver<Event>>,
    answers: mpsc::Sender<Answer>,
}

impl Host {
    /// Starts the binary. It gets this process' environment and those settings; what it writes goes to
    /// standard error.
    pub(crate) async fn start(
        binary: &Path,
        settings: &BTreeMap<String, String>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (events, queue) = mpsc::channel(1);
        let (report, answers) = mpsc::channel(1);
        let desk = Arc::new(Desk {
            events: Mutex::new(queue),
            answers: report,
        });
        tokio::spawn(accept(listener, desk));
        let child = Command::new(binary)
            .envs(settings)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "local")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "local")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .stdin(Stdio::null())
            .stdout(io::stderr())
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self {
            child,
            events,
            answers,
            count: 0,
        })
    }

    /// Sends an event and waits for its end; `patience` is the function's time-out.
    pub(crate) async fn send(&mut self, payload: String, patience: Duration) -> Answer {
        self.count += 1;
        let event = Event {
            id: format!("00000000-0000-4000-8000-{:012}", self.count),
            payload,
            deadline: SystemTime::now() + patience,
        };
        let failed = |error_type: &str, message: String| Answer::Failed {
            error_type: error_type.to_owned(),
            message,
        };
        // The queue holds one event, and is empty: this does not wait.
        let _ = self.events.send(event).await;
        let patience = patience + INITIALISATION;
        tokio::select! {
            biased;
            answer = timeout(patience, self.answers.recv()) => match answer {
                Ok(Some(answer)) => answer,
                _ => failed("TimedOut", format!("no answer within {} s", patience.as_secs())),
            },
            status = self.child.wait() => {
                let status = status.map_or_else(|_| "unknown".to_owned(), |it| it.to_string());
                failed("Crashed", format!("the process ended ({status}) before it answered"))
            }
        }
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&desk)));
    }
}

async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { desk.handle(request).await }
    });
    // An error is a function that went away.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Desk {
    async fn handle(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, hyper::http::Error> {
        let (parts, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes);
        let body = body.unwrap_or_default();
        let path = parts.uri.path().strip_prefix(VERSION).unwrap_or_default();
        let is_post = parts.method == Method::POST;
        let answer = match path.split('/').collect::<Vec<_>>().as_slice() {
            ["invocation", "next"] if parts.method == Method::GET => return self.next().await,
            ["invocation", _, "response"] if is_post => Answer::Done,
            ["invocation", _, "error"] | ["init", "error"] if is_post => Answer::error(&body)
                .unwrap_or_else(|| Answer::Failed {
                    error_type: "Unreadable".to_owned(),
                    message: "the function reported an error that cannot be read".to_owned(),
                }),
            _ => return status(StatusCode::NOT_FOUND),
        };
        // Nobody waits for an answer that comes too late.
        let _ = self.answers.try_send(answer);
        status(StatusCode::ACCEPTED)
    }

    async fn next(&self) -> Result<Response<Full<Bytes>>, hyper::http::Error> {
        let Some(event) = self.events.lock().await.recv().await else {
            return status(StatusCode::GONE);
        };
        let deadline = event.deadline.duration_since(SystemTime::UNIX_EPOCH);
        let deadline = deadline.unwrap_or_default().as_millis();
        Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", event.id)
            .header("lambda-runtime-deadline-ms", deadline.to_string())
            .header("lambda-runtime-invoked-function-arn", FUNCTION_ARN)
            .body(Full::from(event.payload))
    }
}

fn status(status: StatusCode) -> Result<Response<Full<Bytes>>, hyper::http::Error> {
    let body = Full::from(r#"{"status":"OK"}"#);
    Response::builder().status(status).body(body)
}
