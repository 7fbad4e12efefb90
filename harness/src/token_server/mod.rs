//! A provider of OAuth tokens whose manners can be set: many tokens or one, chains of refresh tokens,
//! clocks that are wrong, tokens that take a while to work.

pub(crate) mod client;
mod jwt;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::Request;

pub use client::{Proof, TokenRequest};
pub use jwt::VerifyingKey;
use state::State;

use crate::http::{HttpServer, NoAnswer, Reply};
pub use crate::misbehaviour::Misbehaviour;
use crate::proxy::Fault;

/// What a request for a token brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mint {
    /// A new token, beside all others.
    #[default]
    Many,
    /// The token of that client which lives; a new one where none does.
    Singleton,
}

/// What the exchange of a refresh token brings, and what happens to one that is used again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chain {
    /// No new refresh token: the old one stays.
    Fixed,
    /// A new one. Who uses the old one again has stolen it: everything is revoked.
    #[default]
    SingleUse,
    /// A new one; the old one may be used again so many times.
    Grace(usize),
    /// A new one; the old one brings the same again.
    SameValue,
}

/// The manners of a provider.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// What a request for a token brings.
    pub mint: Mint,
    /// What an exchange brings.
    pub chain: Chain,
    /// An exchange ends the access tokens that came of the chain before.
    pub one_access_token: bool,
    /// The lifetime that replies name, in seconds; tokens do not really end.
    pub expires_in: Option<u64>,
    /// How many requests with a new token are refused.
    pub propagation: usize,
    /// How far the provider's clock is ahead, in seconds.
    pub clock_offset: i64,
    /// What assertions must name; without it the token URL.
    pub audience: Option<String>,
}

/// The provider; its connections end on drop.
#[derive(Debug)]
pub struct TokenServer {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

impl TokenServer {
    /// Starts a provider that knows no client.
    pub async fn start(rules: Rules) -> Self {
        let state = Arc::new(Mutex::new(State {
            rules,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let handler = move |request| handle(Arc::clone(&shared), request);
        let server = HttpServer::start(handler).await;
        let base = format!("http://{}", server.address());
        lock(&state).base = base;
        Self { server, state }
    }

    /// `token`, `revoke`, `introspect` or `resource`.
    pub fn url(&self, endpoint: &str) -> String {
        format!("http://{}/{endpoint}", self.server.address())
    }

    /// Registers a client, or changes how it proves itself.
    pub fn add_client(&self, id: &str, proof: Proof) {
        self.state().clients.insert(id.to_owned(), proof);
    }

    /// Forgets a client; its tokens live on.
    pub fn remove_client(&self, id: &str) {
        self.state().clients.remove(id);
    }

    /// Takes assertions of this issuer as a grant.
    pub fn trust(&self, issuer: &str, key: VerifyingKey) {
        self.state().issuers.insert(issuer.to_owned(), key);
    }

    /// A token as if the client had asked for it long ago.
    pub fn issue(&self, client: &str) -> String {
        let mut state = self.state();
        let text = state.mint(client, None);
        let token = state.tokens.get_mut(&text).expect("made a moment ago");
        token.presented = true;
        token.propagates = 0;
        text
    }

    /// The first refresh token of a new chain: somebody has authorised the client.
    pub fn authorise(&self, client: &str) -> String {
        self.state().authorise(client)
    }

    /// Ends all chains.
    pub fn revoke_chains(&self) {
        let mut state = self.state();
        for number in 0..state.chains.len() {
            state.revoke_chain(number);
        }
    }

    /// Whether an exchange with this refresh token would succeed for the first time.
    pub fn takes(&self, refresh_token: &str) -> bool {
        let state = self.state();
        let mut chains = state.chains.iter();
        chains.any(|chain| chain.valid.iter().any(|valid| valid == refresh_token))
    }

    /// How many exchanges there were.
    pub fn exchanges(&self) -> usize {
        self.state()
            .chains
            .iter()
            .map(|chain| chain.exchanges)
            .sum()
    }

    /// Whether a chain lives.
    pub fn has_chain(&self) -> bool {
        self.state().chains.iter().any(|chain| chain.alive)
    }

    /// Whether a request with this token is served.
    pub fn serves(&self, token: &str) -> bool {
        let state = self.state();
        let token = state.tokens.get(token);
        token.is_some_and(|token| token.alive && token.propagates == 0)
    }

    /// How many tokens live that somebody has used: one that nobody has stored is never used.
    pub fn live(&self) -> usize {
        let state = self.state();
        let used = |token: &&state::Token| token.alive && token.presented;
        state.tokens.values().filter(used).count()
    }

    /// Ends a token behind everybody's back.
    pub fn revoke(&self, token: &str) {
        if let Some(token) = self.state().tokens.get_mut(token) {
            token.alive = false;
        }
    }

    /// How many requests with a token that does not work were refused.
    pub fn refused(&self) -> usize {
        self.state().refused
    }

    /// All tokens that there ever were, of both kinds: what must be found nowhere.
    pub fn secrets(&self) -> Vec<String> {
        let state = self.state();
        let refresh = state.chains.iter().flat_map(|chain| chain.valid.clone());
        state.tokens.keys().cloned().chain(refresh).collect()
    }

    /// Other manners from now on.
    pub fn set_rules(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.state().rules);
    }

    /// Closes every connection without an answer, or answers again.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    /// A fault for exactly that request, counted from 1 since the start or the last reset.
    pub fn fault_at(&self, request: usize, fault: Fault<Misbehaviour>) {
        self.state().faults.insert(request, fault);
    }

    /// No more faults, no requests recorded, and the next request is the first.
    pub fn reset(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.requests.clear();
    }

    /// Every request since the start or the last reset.
    pub fn requests(&self) -> Vec<TokenRequest> {
        self.state().requests.clone()
    }

    /// The endpoints that were asked, in order.
    pub fn endpoints(&self) -> String {
        let requests = self.requests();
        let names: Vec<_> = requests
            .iter()
            .map(|request| request.endpoint.as_str())
            .collect();
        names.join(" ")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn handle(state: Arc<Mutex<State>>, request: Request<Bytes>) -> Reply {
    let headers: BTreeMap<String, String> = request
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = value.to_str().unwrap_or_default();
            (name.as_str().to_owned(), value.to_owned())
        })
        .collect();
    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
    let request = TokenRequest {
        endpoint: request.uri().path().trim_start_matches('/').to_owned(),
        authorization: header("authorization"),
        parameters: client::parameters(&header("content-type"), request.body()),
        headers,
    };
    let (answer, misbehaviour) = {
        let mut state = lock(&state);
        if state.down {
            return Err(NoAnswer);
        }
        state.requests.push(request.clone());
        let number = state.requests.len();
        match state.faults.get(&number).cloned() {
            None => (Some(state.perform(&request)), None),
            Some(Fault::Before(misbehaviour)) => (None, Some(misbehaviour)),
            Some(Fault::After(misbehaviour)) => (Some(state.perform(&request)), Some(misbehaviour)),
        }
    };
    match misbehaviour {
        None => answer.ok_or(NoAnswer),
        Some(misbehaviour) => misbehaviour.perform().await,
    }
}
