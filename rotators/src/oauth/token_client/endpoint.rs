//! What a configuration says about a token endpoint.

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderName;
use serde_json::Value;

use super::authentication::{ClientAuthentication, header_name};
use super::message::Body;
use super::reply::ReplyFields;
use crate::configuration::Fields;
use crate::oauth::assertion::{Algorithm, Assertion};
use crate::web::{Authorities, Endpoint, Expectation, Template};

/// What is presented for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The client's own credential (RFC 6749, section 4.4).
    ClientCredentials,
    /// A signed assertion (RFC 7523, section 2.1).
    JwtBearer,
    /// A refresh token (RFC 6749, section 6).
    RefreshToken,
}

impl Grant {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// A token endpoint, as a configuration describes it.
///
/// ```
/// use rotators::configuration;
/// use rotators::oauth::token_client::{Grant, TokenEndpoint};
///
/// let text = r#"{"token_url": "https://login.example.com/token", "client_authentication": "post",
///                "scope": "reports"}"#;
/// let endpoint = configuration::read(text, |fields| {
///     TokenEndpoint::read(fields, [("client_credentials", Grant::ClientCredentials)])
/// });
/// assert!(endpoint.is_ok());
/// ```
#[derive(Clone)]
pub struct TokenEndpoint {
    pub(super) token_url: Endpoint,
    pub(super) grant: Grant,
    pub(super) authentication: ClientAuthentication,
    pub(super) assertion: Assertion,
    pub(super) parameters: Vec<(String, Template)>,
    pub(super) extra: Vec<(String, Template)>,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) body: Body,
    pub(super) reply: ReplyFields,
    pub(super) success: Expectation,
    pub(super) authorities: Option<Authorities>,
    pub(super) timeout: Duration,
}

impl TokenEndpoint {
    /// Reads `token_url`, `grant` (one of `grants`, the first being the default),
    /// `client_authentication`, `assertion`, `scope`, `audience`, `resource`, `parameters`, `headers`,
    /// `body`, `reply`, `success`, `ca_certificate` and `timeout_seconds`.
    pub fn read<const N: usize>(fields: &mut Fields, grants: [(&str, Grant); N]) -> Option<Self> {
        let token_url = fields.required_endpoint("token_url");
        let grant = fields.choice("grant", grants);
        let authentication = ClientAuthentication::read(fields, "client_authentication");
        let authentication = authentication.unwrap_or(ClientAuthentication::Basic);
        let asserts = fields.has("assertion");
        let assertion = fields.object("assertion", |inner| Some(Assertion::read(inner)));
        let assertion = assertion.unwrap_or_default();
        let signs = match authentication {
            ClientAuthentication::PrivateKeyJwt => {
                if assertion.algorithm == Algorithm::Hs256 {
                    let rule = "must be RS256, PS256, ES256 or EdDSA where the client proves itself with \
                                private_key_jwt";
                    fields.fault("assertion.algorithm", rule);
                }
                true
            }
            ClientAuthentication::ClientSecretJwt => true,
            _ => grant == Grant::JwtBearer,
        };
        if asserts && !signs {
            fields.fault(
                "assertion",
                "has no use: neither client nor grant is signed",
            );
        }
        let endpoint = Self {
            parameters: parameters(fields),
            extra: fields.templates("parameters"),
            headers: headers(fields, "headers"),
            body: fields.choice("body", [("form", Body::Form), ("json", Body::Json)]),
            reply: fields
                .object("reply", |inner| Some(ReplyFields::read(inner)))
                .unwrap_or_default(),
            success: fields
                .object("success", |inner| Some(Expectation::read(inner)))
                .unwrap_or_default(),
            authorities: fields.parsed("ca_certificate", Authorities::parse),
            timeout: Duration::from_secs(fields.number("timeout_seconds", 10, 1..=60)),
            token_url: token_url?,
            grant,
            authentication,
            assertion,
        };
        Some(endpoint)
    }
}

impl TokenEndpoint {
    /// Whether a request proves that its sender has the client secret.
    pub(crate) fn presents_client_secret(&self) -> bool {
        match &self.authentication {
            ClientAuthentication::Basic
            | ClientAuthentication::Post
            | ClientAuthentication::ClientSecretJwt => true,
            ClientAuthentication::Header(_, value) => {
                value.names().any(|name| name == "client_secret")
            }
            _ => self
                .extra
                .iter()
                .chain(&self.parameters)
                .any(|(_, value)| value.names().any(|name| name == "client_secret")),
        }
    }
}

/// `scope`, `audience` and `resource` (RFC 8707: there may be several).
fn parameters(fields: &mut Fields) -> Vec<(String, Template)> {
    let mut parameters = Vec::new();
    for name in ["scope", "audience"] {
        let template = fields.parsed(name, Template::parse);
        parameters.extend(template.map(|template| (name.to_owned(), template)));
    }
    let resources = match fields.value("resource") {
        None => Vec::new(),
        Some(Value::Array(resources)) => resources,
        Some(resource) => vec![resource],
    };
    for resource in resources {
        match resource.as_str().map(Template::parse) {
            Some(Ok(template)) => parameters.push(("resource".to_owned(), template)),
            _ => fields.fault("resource", "must be a text, or a list of texts"),
        }
    }
    parameters
}

/// Names and values of headers.
pub(super) fn headers(fields: &mut Fields, name: &str) -> Vec<(HeaderName, Template)> {
    let mut headers = Vec::new();
    for (key, template) in fields.templates(name) {
        match header_name(&key) {
            Ok(header) => headers.push((header, template)),
            Err(rule) => fields.fault(name, format_args!("has `{key}`, which {rule}")),
        }
    }
    headers
}

/// Parameters may hold what is nobody's business.
impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoint")
            .field("token_url", &self.token_url)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}
