//! What the server records, and the faults that it is given.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::oauth_provider::Misbehaviour;
use crate::proxy::Fault;

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// RFC 6749, section 3.2.
    Token,
    /// RFC 7009.
    Revocation,
    /// RFC 7662.
    Introspection,
    /// RFC 7591, and the records of clients below it: RFC 7592.
    Registration,
    /// What an application asks with its access token.
    Resource,
    /// Anything else, such as the provider's metadata.
    Other,
}

impl Endpoint {
    /// Its path, without the slash.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Revocation => "revocation",
            Self::Introspection => "introspection",
            Self::Registration => "registration",
            Self::Resource => "resource",
            Self::Other => "",
        }
    }

    fn named(name: &str) -> Self {
        let all = [
            Self::Token,
            Self::Revocation,
            Self::Introspection,
            Self::Registration,
            Self::Resource,
        ];
        let found = all.into_iter().find(|endpoint| endpoint.name() == name);
        found.unwrap_or(Self::Other)
    }
}

/// A request that reached the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcCall {
    /// Where it went.
    pub endpoint: Endpoint,
    /// Such as `POST`.
    pub method: String,
    /// The client that it names, if the server knows that client.
    pub client: Option<String>,
    /// The parameter `grant_type`.
    pub grant_type: Option<String>,
    /// The HTTP status that the server came to; none where a fault kept the request from it, or it is
    /// still at work.
    pub status: Option<u16>,
    /// The error code of the answer, such as `invalid_grant`.
    pub error: Option<String>,
}

impl OidcCall {
    pub(super) fn read(record: &Value) -> Self {
        let text = |key: &str| record[key].as_str().map(str::to_owned);
        let status = record["status"].as_u64();
        Self {
            endpoint: Endpoint::named(record["endpoint"].as_str().unwrap_or_default()),
            method: text("method").unwrap_or_default(),
            client: text("client"),
            grant_type: text("grant_type"),
            status: status.map(|it| it.try_into().expect("an HTTP status")),
            error: text("error"),
        }
    }
}

/// A token that would be taken at this moment.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveToken {
    /// What it is.
    pub kind: TokenKind,
    /// What is presented.
    pub token: String,
}

impl fmt::Debug for LiveToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LiveToken")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token that a refresh token was exchanged for.
    AccessToken,
    /// An access token of the grant `client_credentials`.
    ClientCredentials,
    /// A refresh token.
    RefreshToken,
}

impl LiveToken {
    pub(super) fn read(row: &Value) -> Self {
        let kind = match row["kind"].as_str() {
            Some("AccessToken") => TokenKind::AccessToken,
            Some("ClientCredentials") => TokenKind::ClientCredentials,
            Some("RefreshToken") => TokenKind::RefreshToken,
            other => panic!("an unknown kind of token: {other:?}"),
        };
        let token = row["token"].as_str().expect("a token's value").to_owned();
        Self { kind, token }
    }
}

/// A fault as the server reads it.
pub(super) fn fault(fault: Fault<Misbehaviour>) -> Value {
    let (when, misbehaviour) = match fault {
        Fault::Before(misbehaviour) => ("before", misbehaviour),
        Fault::After(misbehaviour) => ("after", misbehaviour),
    };
    match misbehaviour {
        Misbehaviour::Drop => json!({"when": when, "action": "drop"}),
        Misbehaviour::Hang => json!({"when": when, "action": "hang"}),
        Misbehaviour::Answer {
            status,
            headers,
            body,
        } => {
            let headers = headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect::<Map<_, _>>();
            json!({
                "when": when, "action": "answer",
                "status": status, "headers": headers, "body": body,
            })
        }
    }
}
