//! A provider of bearer tokens with the manners of X: one token an API key, the same one until it is
//! told to invalidate it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::{Request, StatusCode};
use serde_json::json;

use crate::http::{self, Answer, HttpServer, NoAnswer, Reply};
use crate::proxy::Fault;
use crate::random;

pub use crate::misbehaviour::Misbehaviour;

/// A request that the provider got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCall {
    /// `token`, `invalidate` or `test`.
    pub endpoint: String,
    /// The header `Authorization`.
    pub authorization: String,
    /// The form.
    pub body: String,
}

/// The provider; its connections end on drop.
#[derive(Debug)]
pub struct OAuthProvider {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// By consumer key.
    apps: BTreeMap<String, App>,
    /// Tokens that were invalidated.
    dead: BTreeSet<String>,
    calls: Vec<TokenCall>,
    faults: BTreeMap<usize, Fault<Misbehaviour>>,
    /// How many requests for a token are still allowed.
    allowance: Option<usize>,
    /// The connection of every request is closed.
    down: bool,
    /// Invalidation takes OAuth 1.0a alone.
    signed_invalidation: bool,
    refused: usize,
    minted: usize,
}

#[derive(Debug)]
struct App {
    /// The header that it authenticates with.
    basic: String,
    token: Option<String>,
}

impl OAuthProvider {
    /// Starts a provider that knows no app.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let handler = move |request| handle(Arc::clone(&shared), request);
        Self {
            server: HttpServer::start(handler).await,
            state,
        }
    }

    /// Where tokens come from.
    pub fn token_url(&self) -> String {
        self.url("token")
    }

    /// Where tokens are invalidated.
    pub fn invalidate_url(&self) -> String {
        self.url("invalidate")
    }

    /// What a token is tried on.
    pub fn test_url(&self) -> String {
        self.url("test?query=a%20b")
    }

    fn url(&self, endpoint: &str) -> String {
        format!("http://{}/{endpoint}", self.server.address())
    }

    /// Registers an app. `basic` is what it authenticates with: `Basic` and the base64 of key and secret.
    pub fn add_app(&self, key: &str, basic: &str) {
        let app = App {
            basic: basic.to_owned(),
            token: None,
        };
        self.state().apps.insert(key.to_owned(), app);
    }

    /// The token of an app, which is minted where there is none.
    ///
    /// # Panics
    /// If there is no such app.
    pub fn token_of(&self, key: &str) -> String {
        self.state().token_of(key)
    }

    /// Whether a request with this token is served.
    pub fn serves(&self, token: &str) -> bool {
        self.state().serves(token)
    }

    /// How many tokens live.
    pub fn live(&self) -> usize {
        let state = self.state();
        state
            .apps
            .values()
            .filter(|app| app.token.is_some())
            .count()
    }

    /// How many requests with a token that does not live were refused.
    pub fn refused(&self) -> usize {
        self.state().refused
    }

    /// All tokens that there ever were: what must be found nowhere.
    pub fn tokens(&self) -> Vec<String> {
        let state = self.state();
        let live = state.apps.values().filter_map(|app| app.token.clone());
        state.dead.iter().cloned().chain(live).collect()
    }

    /// Invalidates the token of an app behind everybody's back.
    pub fn revoke(&self, key: &str) {
        let mut state = self.state();
        if let Some(token) = state.apps.get_mut(key).and_then(|app| app.token.take()) {
            state.dead.insert(token);
        }
    }

    /// Closes every connection without an answer, or answers again.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    /// Invalidation takes requests signed with OAuth 1.0a, and no others. The signature is not checked.
    pub fn sign_invalidation(&self) {
        self.state().signed_invalidation = true;
    }

    /// Answers that many requests for a token, and the later ones with 403 and code 99.
    pub fn set_allowance(&self, requests: Option<usize>) {
        self.state().allowance = requests;
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
    pub fn calls(&self) -> Vec<TokenCall> {
        self.state().calls.clone()
    }

    /// The names of the endpoints that were called.
    pub fn endpoints(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.endpoint).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn token_of(&mut self, key: &str) -> String {
        let app = self.apps.get_mut(key).expect("a registered app");
        let minted = &mut self.minted;
        let token = app.token.get_or_insert_with(|| {
            *minted += 1;
            // Percent escapes, as X has them: what is sent back must be what came.
            format!(
                "AAAA{minted}%2Fsentinel{:016x}%3D{:016x}",
                random::number(),
                random::number()
            )
        });
        token.clone()
    }

    fn serves(&self, token: &str) -> bool {
        self.apps
            .values()
            .any(|app| app.token.as_deref() == Some(token))
    }

    fn perform(&mut self, call: &TokenCall) -> Answer {
        match call.endpoint.as_str() {
            "token" => self.grant(call),
            "invalidate" => self.invalidate(call),
            "test" => self.serve(call),
            _ => json_answer(404, &json!({"errors": [{"code": 34}]})),
        }
    }

    /// The app that this header authenticates.
    fn app_of(&self, authorization: &str) -> Option<String> {
        let mut apps = self.apps.iter();
        apps.find_map(|(key, app)| (app.basic == authorization).then(|| key.clone()))
    }

    fn grant(&mut self, call: &TokenCall) -> Answer {
        let app = self.app_of(&call.authorization);
        let (Some(key), "grant_type=client_credentials") = (app, call.body.as_str()) else {
            return refusal(403, 99);
        };
        match &mut self.allowance {
            Some(0) => return refusal(403, 99),
            Some(left) => *left -= 1,
            None => {}
        }
        let token = self.token_of(&key);
        json_answer(200, &json!({"token_type": "bearer", "access_token": token}))
    }

    fn invalidate(&mut self, call: &TokenCall) -> Answer {
        let signed = call.authorization.starts_with("OAuth ");
        let key = if self.signed_invalidation {
            let named = |key: &&String| {
                let key = key.replace(':', "%3A");
                let consumer = format!("oauth_consumer_key=\"{key}\"");
                signed && call.authorization.contains(&consumer)
            };
            self.apps.keys().find(named).cloned()
        } else {
            self.app_of(&call.authorization)
        };
        let token = call.body.strip_prefix("access_token=").map(str::to_owned);
        let (Some(key), Some(token)) = (key, token) else {
            return refusal(403, 99);
        };
        let app = self.apps.get_mut(&key).expect("found a moment ago");
        if app.token.as_deref() != Some(&token) {
            return refusal(401, 89);
        }
        app.token = None;
        self.dead.insert(token.clone());
        json_answer(200, &json!({"access_token": token}))
    }

    fn serve(&mut self, call: &TokenCall) -> Answer {
        let token = call.authorization.strip_prefix("Bearer ");
        if token.is_some_and(|token| self.serves(token)) {
            return json_answer(200, &json!({"data": [], "meta": {"result_count": 0}}));
        }
        self.refused += 1;
        refusal(401, 89)
    }
}

async fn handle(state: Arc<Mutex<State>>, request: Request<Bytes>) -> Reply {
    let authorization = request.headers().get("authorization");
    let authorization = authorization.and_then(|header| header.to_str().ok());
    let call = TokenCall {
        endpoint: request.uri().path().trim_start_matches('/').to_owned(),
        authorization: authorization.unwrap_or_default().to_owned(),
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
            None => (Some(state.perform(&call)), None),
            Some(Fault::Before(misbehaviour)) => (None, Some(misbehaviour)),
            Some(Fault::After(misbehaviour)) => (Some(state.perform(&call)), Some(misbehaviour)),
        }
    };
    match misbehaviour {
        None => answer.ok_or(NoAnswer),
        Some(misbehaviour) => misbehaviour.perform().await,
    }
}

fn refusal(status: u16, code: u16) -> Answer {
    json_answer(
        status,
        &json!({"errors": [{"code": code, "message": "no"}]}),
    )
}

fn json_answer(status: u16, body: &serde_json::Value) -> Answer {
    let status = StatusCode::from_u16(status).expect("a valid HTTP status");
    http::answer(status, "application/json;charset=utf-8", body.to_string())
}
