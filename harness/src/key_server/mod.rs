//! A provider of API keys whose manners can be set: keys with ids of which there is room for a few, or
//! one key that is chosen by its owner or made by the provider.
//!
//! | request | what it does |
//! |---|---|
//! | `POST /keys` | makes a key; the body's `name` is kept; 409 where there is no room |
//! | `GET /keys` | lists the keys without their values |
//! | `DELETE /keys/ID` | deletes one; 404 where there is none |
//! | `PUT /key` | the one key becomes the body's `value`; 422 for values without the prefix `sk-` |
//! | `POST /key/rotate` | the provider makes another key in place of the one |
//! | `GET /key` | the one key, where it can be read |
//! | `GET /me` | 200 with a key that works, else 401 |
//! | `POST /token` | a token for any client whose secret is a key that works; for [`MANAGER`] that of [`ADMIN`] |
//!
//! All but the last two are for [`ADMIN`], and for a key that works.

mod keys;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use hyper::Request;

use crate::http::{HttpServer, NoAnswer, Reply};
use crate::proxy::Fault;

pub use crate::misbehaviour::Misbehaviour;
use keys::Keys;

/// The token of the administrator.
pub const ADMIN: &str = "sentinel-admin/token+1";

/// Id and secret of a client that gets the administrator's token.
pub const MANAGER: (&str, &str) = ("manager", "sentinel-manager+1");

/// The manners of a provider.
#[expect(
    clippy::struct_excessive_bools,
    reason = "providers differ in each by itself"
)]
#[derive(Clone, Debug)]
pub struct Manners {
    /// How many keys there is room for.
    pub slots: usize,
    /// The list of keys tells names.
    pub names: bool,
    /// An earlier request with the same header `Idempotency-Key` gets the earlier reply.
    pub idempotent: bool,
    /// The one key can be read.
    pub readable: bool,
    /// The value before the present one of the one key works, too.
    pub keeps_previous: bool,
    /// For so many requests with a new key it is refused, and what it replaces goes on.
    pub propagation: usize,
    /// Ids are numbers in JSON.
    pub numeric_ids: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            slots: 3,
            names: true,
            idempotent: false,
            readable: true,
            keeps_previous: false,
            propagation: 0,
            numeric_ids: false,
        }
    }
}

/// A request that the provider got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCall {
    /// Method and path, as `DELETE /keys/key-1`.
    pub request: String,
    /// The header `Authorization`.
    pub authorization: String,
    /// The header `Content-Type`.
    pub content_type: String,
    /// The header `Idempotency-Key`.
    pub idempotency_key: String,
    /// The body.
    pub body: String,
}

/// The provider; its connections end on drop.
#[derive(Debug)]
pub struct KeyServer {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    keys: Keys,
    calls: Vec<KeyCall>,
    faults: BTreeMap<usize, Fault<Misbehaviour>>,
    /// The connection of every request is closed.
    down: bool,
}

impl KeyServer {
    /// Starts a provider without keys.
    pub async fn start(manners: Manners) -> Self {
        let state = Arc::new(Mutex::new(State {
            keys: Keys::new(manners),
            calls: Vec::new(),
            faults: BTreeMap::new(),
            down: false,
        }));
        let shared = Arc::clone(&state);
        let handler = move |request| handle(Arc::clone(&shared), request);
        Self {
            server: HttpServer::start(handler).await,
            state,
        }
    }

    /// The URL of a path, such as `/keys`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// Makes a key by hand, whatever the room; gives its id and its value.
    pub fn make(&self, name: &str) -> (String, String) {
        let mut state = self.state();
        let (id, key) = state.keys.make(name);
        (id, key.value)
    }

    /// Makes the value the one key.
    pub fn put(&self, value: &str) {
        self.state().keys.put(value);
    }

    /// Deletes a key behind everybody's back.
    pub fn delete(&self, id: &str) {
        self.state().keys.delete(id);
    }

    /// Whether there is a key of that id.
    pub fn has(&self, id: &str) -> bool {
        self.ids().iter().any(|held| held == id)
    }

    /// The ids of all keys.
    pub fn ids(&self) -> Vec<String> {
        self.state().keys.ids()
    }

    /// Whether requests with this value are served, or would be once all is propagated.
    pub fn serves(&self, value: &str) -> bool {
        self.state().keys.serves(value)
    }

    /// Sends what an application sends, over a connection of its own; whether it is served.
    pub async fn ask(&self, value: &str) -> bool {
        let request = Request::get("/me")
            .header("host", self.server.address().to_string())
            .header("authorization", format!("Bearer {value}"))
            .body(Bytes::new().into())
            .expect("a request");
        let answer = crate::http::send(self.server.address(), request).await;
        answer.expect("an answer").status().is_success()
    }

    /// How many values work.
    pub fn live(&self) -> usize {
        self.state().keys.live()
    }

    /// How many requests to `/me` were refused.
    pub fn refused(&self) -> usize {
        self.state().keys.refused()
    }

    /// All values that there ever were: what must be found nowhere.
    pub fn values(&self) -> Vec<String> {
        self.state().keys.values()
    }

    /// Dates keys by this clock.
    pub fn use_clock(&self, clock: impl Fn() -> SystemTime + Send + 'static) {
        self.state().keys.use_clock(Box::new(clock));
    }

    /// The administrator's token works no more, or again.
    pub fn revoke_admin(&self, revoked: bool) {
        self.state().keys.revoke_admin(revoked);
    }

    /// Changes how many requests a new key is refused for.
    pub fn set_propagation(&self, requests: usize) {
        self.state().keys.set_propagation(requests);
    }

    /// Closes every connection without an answer, or answers again.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    /// A fault for exactly that call, counted from 1 since the start or the last reset.
    pub fn fault_at(&self, call: usize, fault: Fault<Misbehaviour>) {
        self.state().faults.insert(call, fault);
    }

    /// No more faults, no calls recorded, and the next call is the first.
    pub fn reset(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.calls.clear();
    }

    /// Every call since the start or the last reset.
    pub fn calls(&self) -> Vec<KeyCall> {
        self.state().calls.clone()
    }

    /// Method and path of every call since the start or the last reset; ids are left out.
    pub fn requests(&self) -> Vec<String> {
        let calls = self.calls().into_iter();
        calls
            .map(|call| match call.request.strip_prefix("DELETE ") {
                Some(_) => "DELETE".to_owned(),
                None => call.request,
            })
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn handle(state: Arc<Mutex<State>>, request: Request<Bytes>) -> Reply {
    let header = |name| {
        let header = request.headers().get(name);
        let header = header.and_then(|header| header.to_str().ok());
        header.unwrap_or_default().to_owned()
    };
    let call = KeyCall {
        request: format!("{} {}", request.method(), request.uri().path()),
        authorization: header("authorization"),
        content_type: header("content-type"),
        idempotency_key: header("idempotency-key"),
        body: String::from_utf8_lossy(request.body()).into_owned(),
    };
    let (answer, misbehaviour) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.down {
            return Err(NoAnswer);
        }
        state.calls.push(call.clone());
        let number = state.calls.len();
        match state.faults.get(&number).cloned() {
            None => (Some(state.keys.perform(&call)), None),
            Some(Fault::Before(misbehaviour)) => (None, Some(misbehaviour)),
            Some(Fault::After(misbehaviour)) => {
                (Some(state.keys.perform(&call)), Some(misbehaviour))
            }
        }
    };
    match misbehaviour {
        None => answer.ok_or(NoAnswer),
        Some(misbehaviour) => misbehaviour.perform().await,
    }
}
