//! The server's process, and what tests ask of it.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};

use super::traffic::{self, Endpoint, LiveToken, OidcCall};
use super::{Misbehaviour, Settings, launch};
use crate::http;
use crate::process::Process;
use crate::proxy::Fault;

/// A running server; killed on drop.
#[derive(Debug)]
pub struct OidcProvider {
    process: Process,
    issuer: String,
    /// Where it takes what the methods below ask.
    control: SocketAddr,
}

impl OidcProvider {
    /// Starts a server.
    ///
    /// # Panics
    /// If it is not installed; the message holds the command that installs it.
    pub async fn start(settings: Settings) -> Self {
        let scheme = settings.scheme();
        let (process, port, control) = launch::launch(settings).await;
        Self {
            process,
            issuer: format!("{scheme}://127.0.0.1:{port}"),
            control,
        }
    }

    /// The issuer, such as `http://127.0.0.1:20001`, which assertions may name as their audience.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where tokens come from.
    pub fn token_url(&self) -> String {
        self.url(Endpoint::Token)
    }

    /// Where tokens are revoked.
    pub fn revocation_url(&self) -> String {
        self.url(Endpoint::Revocation)
    }

    /// Where tokens are asked about.
    pub fn introspection_url(&self) -> String {
        self.url(Endpoint::Introspection)
    }

    /// Where clients are registered; the record of one is below it, under its id.
    pub fn registration_url(&self) -> String {
        self.url(Endpoint::Registration)
    }

    /// What a token is tried on: 200 and JSON with `client_id` and `scope` for one that lives, else 401
    /// and JSON with `error`.
    pub fn resource_url(&self) -> String {
        self.url(Endpoint::Resource)
    }

    /// What the server has logged so far; why it refused something is in there.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// A new grant of that account to the client, and its first refresh token, as if somebody had
    /// agreed in a browser.
    pub async fn issue_refresh_token(&self, client: &str, account: &str) -> String {
        let arguments = json!({"client": client, "account": account});
        text(self.control("issue_refresh_token", arguments).await)
    }

    /// Whether the token, of whatever kind, would be taken at this moment. A refresh token that was
    /// exchanged is not live.
    pub async fn is_live(&self, token: &str) -> bool {
        let answer = self.control("is_live", json!({"token": token})).await;
        answer.as_bool().expect("yes or no")
    }

    /// All tokens of the client that would be taken at this moment.
    pub async fn live_tokens(&self, client: &str) -> Vec<LiveToken> {
        let answer = self.control("live_tokens", json!({"client": client})).await;
        let rows = answer.as_array().expect("a list of tokens");
        rows.iter().map(LiveToken::read).collect()
    }

    /// Takes back the grant that this access or refresh token hangs on, with all its tokens, as an
    /// account's owner or an administrator does.
    ///
    /// # Panics
    /// If the token is unknown or hangs on no grant.
    pub async fn revoke_grant(&self, token: &str) {
        self.control("revoke_grant", json!({"token": token})).await;
    }

    /// A token that lets its bearer register clients (RFC 7591, section 3).
    pub async fn initial_access_token(&self) -> String {
        text(self.control("initial_access_token", json!({})).await)
    }

    /// A token that lets its bearer manage this client (RFC 7592). Any number of them may live.
    pub async fn registration_access_token(&self, client: &str) -> String {
        let arguments = json!({"client": client});
        text(self.control("registration_access_token", arguments).await)
    }

    /// The client's metadata as they are stored, with its secret; none if there is no such client.
    pub async fn client(&self, client: &str) -> Option<Value> {
        let stored = self.control("client", json!({"client": client})).await;
        (!stored.is_null()).then_some(stored)
    }

    /// Closes every connection without an answer, or answers again. What comes in meanwhile is not
    /// recorded.
    pub async fn set_down(&self, down: bool) {
        self.control("set_down", json!({"down": down})).await;
    }

    /// A fault for exactly that call of the endpoint, counted from 1 since the start or the last reset.
    pub async fn fault_at(&self, endpoint: Endpoint, call: usize, fault: Fault<Misbehaviour>) {
        let arguments = json!({
            "endpoint": endpoint.name(), "call": call, "fault": traffic::fault(fault),
        });
        self.control("fault_at", arguments).await;
    }

    /// Every call since the start or the last reset.
    pub async fn calls(&self) -> Vec<OidcCall> {
        let answer = self.control("calls", json!({})).await;
        let records = answer.as_array().expect("a list of calls");
        records.iter().map(OidcCall::read).collect()
    }

    /// How many calls of the endpoint there were since the start or the last reset.
    pub async fn count(&self, endpoint: Endpoint) -> usize {
        let calls = self.calls().await;
        calls.iter().filter(|it| it.endpoint == endpoint).count()
    }

    /// No more faults, no calls recorded, and the next call of each endpoint is its first.
    pub async fn reset(&self) {
        self.control("reset", json!({})).await;
    }

    fn url(&self, endpoint: Endpoint) -> String {
        format!("{}/{}", self.issuer, endpoint.name())
    }

    async fn control(&self, command: &str, arguments: Value) -> Value {
        let request = Request::post(format!("/{command}"))
            .header("host", self.control.to_string())
            .body(Full::new(Bytes::from(arguments.to_string())))
            .expect("the request is valid");
        let response = http::send(self.control, request)
            .await
            .unwrap_or_else(|error| panic!("{command}: {error}\n{}", self.log()));
        let body = String::from_utf8_lossy(response.body());
        assert_eq!(response.status(), StatusCode::OK, "{command}: {body}");
        serde_json::from_str(&body).expect("the server writes JSON")
    }
}

fn text(answer: Value) -> String {
    match answer {
        Value::String(text) => text,
        other => panic!("expected a text, got {other}"),
    }
}
