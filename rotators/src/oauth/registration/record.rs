//! A client's own record at the server, and what a reply with it says.

use std::fmt;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::rotator::{Context, RotatorError};
use serde_json::Value;

use super::RegistrationSettings;
use crate::oauth::token_client::{ClientCredential, fits_a_header};
use crate::web::Endpoint;
use crate::web::http::{self, Peer, Reply};
use crate::web::json::{Json, Pointer};
use crate::web::refusal::refusal;

/// What the server adds to a record and does not take back (RFC 7592, section 2.2); and the secret, which is
/// left out so that another one is issued.
const NOT_SENT: [&str; 5] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
    "client_secret",
];

/// A registered client, as its secret has it.
pub struct RegisteredClient {
    pub(super) secret: SecretString,
    uri: Endpoint,
    token: SecretString,
    document: SecretDocument,
}

/// A record, and what opens it from now on.
pub(super) struct Record {
    json: Json,
    pub(super) secret: SecretString,
    pub(super) token: SecretString,
}

impl RegisteredClient {
    /// What it authenticates with at the token endpoint.
    pub(super) fn credential(&self) -> ClientCredential {
        ClientCredential::new(&self.document)
    }

    /// Reads the record.
    pub(super) async fn read(
        &self,
        settings: &RegistrationSettings,
        cx: &Context,
    ) -> Result<Record, RotatorError> {
        let request = self.request(Method::GET, &self.token, settings)?;
        self.answer(request, &self.token, settings, cx).await
    }

    /// Sends the record back without its secret.
    pub(super) async fn update(
        &self,
        record: &Record,
        settings: &RegistrationSettings,
        cx: &Context,
    ) -> Result<Record, RotatorError> {
        let mut metadata = record.json.value().clone();
        if let Value::Object(members) = &mut metadata {
            // Each is wiped, as the document is that it came from.
            for name in NOT_SENT {
                members.remove(name).map(Json::of);
            }
        }
        let metadata = Json::of(metadata);
        let body = serde_json::to_vec(metadata.value()).unwrap_or_default();
        let request = self.request(Method::PUT, &record.token, settings)?;
        let request = request
            .header("content-type", "application/json")
            .body(body);
        self.answer(request, &record.token, settings, cx).await
    }

    fn request(
        &self,
        method: Method,
        token: &SecretString,
        settings: &RegistrationSettings,
    ) -> Result<RequestBuilder, RotatorError> {
        if !settings.hosts.allow(&self.uri) {
            return Err(RotatorError::misconfigured(
                "`registration_client_uri` leads to a host that is not one of `allowed_hosts`; correct one of \
                 them",
            )
            .having_changed_nothing());
        }
        let bearer = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| {
            RotatorError::misconfigured("`registration_access_token` cannot be part of a header")
        })?;
        bearer.set_sensitive(true);
        let request = http::client()?.request(method, self.uri.url().clone());
        Ok(request
            .header("accept", "application/json")
            .header(AUTHORIZATION, bearer))
    }

    async fn answer(
        &self,
        request: RequestBuilder,
        token: &SecretString,
        settings: &RegistrationSettings,
        cx: &Context,
    ) -> Result<Record, RotatorError> {
        let peer = Peer {
            role: "the client's record",
            endpoint: &self.uri,
        };
        let reply = http::send(request, peer, settings.timeout, cx).await?;
        if !reply.status.is_success() {
            let remedy = "check `registration_client_uri` and `registration_access_token` in the secret; where \
                          the token was replaced and is lost, register the client anew, or have the server's \
                          operator issue another one";
            let fault = refusal(&reply, peer, remedy);
            let refused =
                reply.status.is_client_error() && reply.status != StatusCode::REQUEST_TIMEOUT;
            return Err(if refused {
                fault.having_changed_nothing()
            } else {
                fault
            });
        }
        record_of(&reply, token).ok_or_else(|| {
            RotatorError::misconfigured(format!(
                "{peer} answers without a `client_secret`; correct `registration_client_uri` in the secret"
            ))
            .with_code(reply.status.as_str())
        })
    }
}

fn record_of(reply: &Reply, token: &SecretString) -> Option<Record> {
    let json = reply.json().filter(|json| json.value().is_object())?;
    let text = |name| json.text(&Pointer::member(name)).filter(fits_a_header);
    let secret = json
        .text(&Pointer::member("client_secret"))
        .filter(|secret| {
            secret
                .expose_secret()
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte))
        })?;
    let token = text("registration_access_token").unwrap_or_else(|| token.clone());
    Some(Record {
        json,
        secret,
        token,
    })
}

impl TryFrom<&SecretDocument> for RegisteredClient {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        secret.text("client_id")?;
        let uri = secret.text("registration_client_uri")?;
        let uri = Endpoint::parse(uri.expose_secret()).map_err(|_| DocumentError::WrongType {
            key: "registration_client_uri",
            expected: "a URL that starts with https://",
        })?;
        Ok(Self {
            secret: secret.text("client_secret")?,
            uri,
            token: secret.text("registration_access_token")?,
            document: secret.clone(),
        })
    }
}

impl fmt::Debug for RegisteredClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredClient")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}
