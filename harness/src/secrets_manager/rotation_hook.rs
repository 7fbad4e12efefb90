//! Carries the emulator's rotation events to a local function.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::{Request, StatusCode};
use serde_json::Value;

use crate::http::{self, HttpServer, Reply};
use crate::lambda_host::{Invocation, LambdaHost};

/// The time-out of the function.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The address to which an emulator sends its rotation events; see
/// [`Moto::start_with_rotation_hook`](super::Moto::start_with_rotation_hook).
///
/// It exists before the emulator, which needs its address, and the emulator before the function,
/// whose environment holds the emulator's address; [`connect`](Self::connect) closes the circle.
#[derive(Debug)]
pub struct RotationHook {
    server: HttpServer,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    function: Mutex<Option<Arc<LambdaHost>>>,
    events: Mutex<Vec<(Value, Invocation)>>,
}

impl RotationHook {
    /// Starts to listen.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let for_handler = Arc::clone(&shared);
        let handler = move |request| handle(Arc::clone(&for_handler), request);
        Self {
            server: HttpServer::start(handler).await,
            shared,
        }
    }

    /// The address for the emulator.
    pub fn url(&self) -> String {
        format!("http://{}/", self.server.address())
    }

    /// The function that gets the events from now on.
    pub fn connect(&self, function: Arc<LambdaHost>) {
        let mut connected = self.shared.function.lock().expect("not poisoned");
        *connected = Some(function);
    }

    /// Every event so far, and how its invocation ended.
    pub fn events(&self) -> Vec<(Value, Invocation)> {
        let events = self.shared.events.lock();
        events.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn handle(shared: Arc<Shared>, request: Request<Bytes>) -> Reply {
    let json = "application/json";
    let function = shared.function.lock().expect("not poisoned").clone();
    let Some(function) = function else {
        let message = r#""no function is connected""#;
        return Ok(http::answer(StatusCode::SERVICE_UNAVAILABLE, json, message));
    };
    let event: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let invocation = function.invoke(&event, TIMEOUT).await;
    let reply = match &invocation {
        Invocation::Response(answer) => http::answer(StatusCode::OK, json, answer.clone()),
        failed => {
            let message = serde_json::json!(format!("{failed:?}")).to_string();
            http::answer(StatusCode::INTERNAL_SERVER_ERROR, json, message)
        }
    };
    let mut events = shared.events.lock().expect("not poisoned");
    events.push((event, invocation));
    Ok(reply)
}
