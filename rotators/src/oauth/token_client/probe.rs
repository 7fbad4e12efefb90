//! Whether a token works: a request with it, or a question about it (RFC 7662).

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName};
use reqwest::{Method, RequestBuilder};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::{Context, RotatorError, Verdict};
use serde_json::Value;

use super::authentication::ClientAuthentication;
use super::endpoint::{TokenEndpoint, headers};
use super::message::{Body, Message, sensitive};
use super::{ClientCredential, http};
use crate::configuration::Fields;
use crate::oauth::assertion::Assertion;
use crate::web::http::Peer;
use crate::web::refusal::{code, provider_code, refusal};
use crate::web::{Authorities, Endpoint, Expectation, Pointer, Template};

/// The field `test` or `introspect`.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    url: Endpoint,
    way: Way,
    authorities: Option<Authorities>,
    timeout: Duration,
}

#[derive(Clone, Debug)]
enum Way {
    Request {
        method: Method,
        headers: Vec<(HeaderName, Template)>,
        accepted: Expectation,
        rejected: Vec<u16>,
    },
    Introspection {
        authentication: ClientAuthentication,
        assertion: Box<Assertion>,
        audience: String,
    },
}

impl Probe {
    /// Reads `test` or `introspect`, one of which must be there. What they do not say is as at the token
    /// endpoint.
    pub(crate) fn read(fields: &mut Fields, endpoint: &TokenEndpoint) -> Option<Self> {
        let (tests, introspects) = (fields.has("test"), fields.has("introspect"));
        let test = fields.object("test", |test| Self::request(test, endpoint));
        let question = fields.object("introspect", |own| Self::introspection(own, endpoint));
        match (tests, introspects) {
            (true, true) => fields.fault("introspect", "cannot be there beside `test`"),
            (false, false) => fields.fault("test", "is missing, and `introspect`, too"),
            _ => {}
        }
        test.or(question)
    }

    fn request(fields: &mut Fields, endpoint: &TokenEndpoint) -> Option<Self> {
        let url = fields.required_endpoint("url");
        let method = match fields.choice("method", [("GET", 0), ("HEAD", 1), ("POST", 2)]) {
            1 => Method::HEAD,
            2 => Method::POST,
            _ => Method::GET,
        };
        let way = Way::Request {
            method,
            headers: headers(fields, "headers"),
            accepted: fields
                .object("accepted", |inner| Some(Expectation::read(inner)))
                .unwrap_or_default(),
            rejected: fields.statuses("rejected").unwrap_or_else(|| vec![401]),
        };
        Some(Self::new(url?, way, endpoint))
    }

    fn introspection(fields: &mut Fields, endpoint: &TokenEndpoint) -> Option<Self> {
        let url = fields.required_endpoint("url");
        let authentication = ClientAuthentication::read(fields, "client_authentication");
        let way = Way::Introspection {
            authentication: authentication.unwrap_or_else(|| endpoint.authentication.clone()),
            assertion: Box::new(endpoint.assertion.clone()),
            audience: endpoint.token_url.url().as_str().to_owned(),
        };
        Some(Self::new(url?, way, endpoint))
    }

    fn new(url: Endpoint, way: Way, endpoint: &TokenEndpoint) -> Self {
        Self {
            url,
            way,
            authorities: endpoint.authorities.clone(),
            timeout: endpoint.timeout,
        }
    }

    /// Whether the credential of the client is needed to ask.
    pub(crate) fn needs_client(&self) -> bool {
        matches!(self.way, Way::Introspection { .. })
    }

    /// Whether the token works.
    pub(crate) async fn ask(
        &self,
        client: &ClientCredential,
        token: &SecretString,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        match &self.way {
            Way::Request {
                method,
                headers,
                accepted,
                rejected,
            } => {
                let request = self.with_token(method, headers, token)?;
                let peer = Peer {
                    role: "the test URL",
                    endpoint: &self.url,
                };
                let reply = http::send(request, peer, self.timeout, cx).await?;
                if rejected.contains(&reply.status.as_u16()) {
                    return Ok(Verdict::Rejected);
                }
                if accepted.is_met(&reply) {
                    return Ok(Verdict::Accepted);
                }
                if accepted.has_status(&reply) && provider_code(&reply).is_none() {
                    return Err(RotatorError::misconfigured(format!(
                        "{peer} answers without what `test.accepted` asks for; correct one of them"
                    ))
                    .with_code(code(&reply)));
                }
                let remedy = "check that the client has access to what is asked for, and which statuses \
                              `test.rejected` holds";
                Err(refusal(&reply, peer, remedy))
            }
            Way::Introspection {
                authentication,
                assertion,
                audience,
            } => {
                let mut message = Message::default();
                message.add("token", token.expose_secret());
                message.add("token_type_hint", "access_token");
                authentication.prove(&mut message, client, assertion, audience)?;
                let identity = authentication.identity(client)?;
                let sender = http::client_with(self.authorities.as_ref(), identity)?;
                let request = message.post(&sender, &self.url, Body::Form);
                let peer = Peer {
                    role: "the introspection URL",
                    endpoint: &self.url,
                };
                let reply = http::send(request, peer, self.timeout, cx).await?;
                // Any other status is about our own credential, not about the token.
                let json = reply.json().filter(|_| reply.status.is_success());
                match json
                    .as_ref()
                    .and_then(|json| json.at(&Pointer::member("active")))
                {
                    Some(Value::Bool(true)) => Ok(Verdict::Accepted),
                    Some(Value::Bool(false)) => Ok(Verdict::Rejected),
                    _ => Err(refusal(&reply, peer, &authentication.remedy(client))),
                }
            }
        }
    }

    fn with_token(
        &self,
        method: &Method,
        headers: &[(HeaderName, Template)],
        token: &SecretString,
    ) -> Result<RequestBuilder, RotatorError> {
        let sender = http::client_with(self.authorities.as_ref(), None)?;
        let mut request = sender
            .request(method.clone(), self.url.url().clone())
            .header(ACCEPT, "application/json");
        if !headers.iter().any(|(name, _)| name == AUTHORIZATION) {
            let bearer = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
            request = request.header(AUTHORIZATION, sensitive(&bearer)?);
        }
        for (name, template) in headers {
            let value = template.fill(&|place| (place == "access_token").then(|| token.clone()));
            let value = value.map_err(|_| {
                RotatorError::misconfigured(
                    "`test.headers` may have the place {access_token} alone",
                )
            })?;
            request = request.header(name, sensitive(&value)?);
        }
        Ok(request)
    }
}
