//! A client of token endpoints (RFC 6749), set up by configuration.
//!
//! It takes replies that conform and replies that nearly do: any success status, `expires_in` as a number,
//! a fraction or a text, no `token_type`. What it does not take is a token of another type than bearer.

mod authentication;
mod credential;
mod endpoint;
mod message;
pub(crate) mod moment;
mod probe;
mod reply;
mod revocation;

use std::time::SystemTime;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::{Context, RotatorError, Verdict};

pub use credential::ClientCredential;
pub use endpoint::{Grant, TokenEndpoint};
use message::Message;
pub(crate) use probe::Probe;
pub use reply::Minted;
pub(crate) use reply::{fits_a_header, is_bearer};
pub(crate) use revocation::{Revocation, RevokeWhen};

use crate::oauth::assertion::Purpose;
use crate::web::http::{self, Peer, Reply};
use crate::web::refusal::{provider_code, refusal};

/// Asks a token endpoint for tokens.
///
/// Rotators of tokens use it, and rotators of client secrets: a secret that gets a token is a good one.
///
/// ```
/// use rotators::configuration;
/// use rotators::oauth::token_client::{ClientCredential, Grant, TokenClient, TokenEndpoint};
/// use secrets_core::rotator::{Context, RotatorError};
///
/// async fn token(cx: &Context) -> Result<(), RotatorError> {
///     let text = r#"{"token_url": "https://login.example.com/token"}"#;
///     let endpoint = configuration::read(text, |fields| {
///         TokenEndpoint::read(fields, [("client_credentials", Grant::ClientCredentials)])
///     });
///     let endpoint = endpoint.map_err(|faults| RotatorError::misconfigured(faults.to_string()))?;
///     let secret = r#"{"client_id": "app", "client_secret": "..."}"#;
///     let secret = secrets_core::document::SecretDocument::from_text(secret);
///     let minted = TokenClient::new(endpoint).mint(&ClientCredential::new(&secret), cx).await?;
///     assert!(minted.is_bearer());
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TokenClient {
    endpoint: TokenEndpoint,
}

/// How a request for a token ended, where it did not end with a token.
pub(crate) enum NoToken {
    /// Nothing came back that could be understood, or nothing was sent.
    Unanswered(RotatorError),
    /// The provider refuses, with its own code if it gave a known one.
    Refused {
        fault: RotatorError,
        status: StatusCode,
        code: Option<String>,
    },
    /// A success without a token.
    Empty(RotatorError),
}

impl NoToken {
    pub(crate) fn into_fault(self) -> RotatorError {
        match self {
            Self::Unanswered(fault) | Self::Refused { fault, .. } | Self::Empty(fault) => fault,
        }
    }
}

impl TokenClient {
    /// A client of this endpoint.
    pub fn new(endpoint: TokenEndpoint) -> Self {
        Self { endpoint }
    }

    /// A new token for this client.
    ///
    /// # Errors
    /// The provider does not answer, refuses, or answers without a token. Its code is a status, and a known
    /// error word if there is one, as in `401/invalid_client`. The endpoint's grant is a refresh token: then
    /// there is nothing to present.
    pub async fn mint(
        &self,
        client: &ClientCredential,
        cx: &Context,
    ) -> Result<Minted, RotatorError> {
        let minted = self.request(client, None, cx).await;
        minted.map_err(NoToken::into_fault)
    }

    /// Whether the provider gives this client a token.
    ///
    /// # Errors
    /// It could not be asked, or refuses for another reason than a client that it does not know.
    pub async fn accepts(
        &self,
        client: &ClientCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        match self.request(client, None, cx).await {
            Ok(_) => Ok(Verdict::Accepted),
            Err(NoToken::Refused { status, code, .. })
                if is_wrong_client(status, code.as_deref()) =>
            {
                Ok(Verdict::Rejected)
            }
            Err(fault) => Err(fault.into_fault()),
        }
    }

    /// A new token for a refresh token, which this may use up.
    pub(crate) async fn refresh(
        &self,
        client: &ClientCredential,
        refresh_token: &SecretString,
        cx: &Context,
    ) -> Result<Minted, NoToken> {
        self.request(client, Some(refresh_token), cx).await
    }

    async fn request(
        &self,
        client: &ClientCredential,
        refresh_token: Option<&SecretString>,
        cx: &Context,
    ) -> Result<Minted, NoToken> {
        let peer = Peer {
            role: "the token URL",
            endpoint: &self.endpoint.token_url,
        };
        let request = self.message(client, refresh_token);
        // Nothing was sent yet.
        let request =
            request.map_err(|fault| NoToken::Unanswered(fault.having_changed_nothing()))?;
        let reply = http::send(request, peer, self.endpoint.timeout, cx).await;
        let mut reply = reply.map_err(NoToken::Unanswered)?;
        reply.code_at.clone_from(&self.endpoint.reply.error);
        self.understand(&reply, peer, client)
    }

    fn message(
        &self,
        client: &ClientCredential,
        refresh_token: Option<&SecretString>,
    ) -> Result<reqwest::RequestBuilder, RotatorError> {
        let endpoint = &self.endpoint;
        let audience = endpoint.token_url.url().as_str();
        let mut message = Message::default();
        message.add("grant_type", endpoint.grant.name());
        match (endpoint.grant, refresh_token) {
            (Grant::ClientCredentials, _) => {}
            (Grant::JwtBearer, _) => {
                let assertion = &endpoint.assertion;
                let signed =
                    assertion.sign(Purpose::Grant, assertion.algorithm, client, audience)?;
                message.add("assertion", &signed);
            }
            (Grant::RefreshToken, Some(token)) => {
                message.add("refresh_token", token.expose_secret());
            }
            (Grant::RefreshToken, None) => {
                return Err(RotatorError::misconfigured(
                    "`grant` is refresh_token, and there is none to present here; choose another grant",
                ));
            }
        }
        for (name, template) in &endpoint.parameters {
            message.add(name, &client.fill(template, name)?);
        }
        let authentication = &endpoint.authentication;
        authentication.prove(&mut message, client, &endpoint.assertion, audience)?;
        for (name, template) in &endpoint.extra {
            message.set(name, &client.fill(template, "parameters")?);
        }
        for (name, template) in &endpoint.headers {
            message.header(name, &client.fill(template, "headers")?)?;
        }
        let sender = http::client_with(
            endpoint.authorities.as_ref(),
            authentication.identity(client)?,
        )?;
        Ok(message.post(&sender, &endpoint.token_url, endpoint.body))
    }

    fn understand(
        &self,
        reply: &Reply,
        peer: Peer<'_>,
        client: &ClientCredential,
    ) -> Result<Minted, NoToken> {
        let refused = || {
            let mut remedy = self.endpoint.authentication.remedy(client);
            if self.endpoint.grant == Grant::JwtBearer {
                remedy.push_str(
                    "; check also the `assertion`: key, audience, issuer, subject, and both clocks",
                );
            }
            NoToken::Refused {
                fault: refusal(reply, peer, &remedy),
                status: reply.status,
                code: provider_code(reply),
            }
        };
        if !self.endpoint.success.is_met(reply) {
            return Err(refused());
        }
        let minted = reply
            .json()
            .and_then(|json| self.endpoint.reply.minted(&json, SystemTime::now()));
        minted.ok_or_else(|| {
            if provider_code(reply).is_some() {
                return refused();
            }
            NoToken::Empty(
                RotatorError::misconfigured(format!(
                    "{peer} answers without a token; correct the URL, or where its token stands \
                     (`reply.access_token`)"
                ))
                .with_code(reply.status.as_u16().to_string()),
            )
        })
    }
}

/// RFC 6749, section 5.2; and there are providers that say it in another word, but with 401.
fn is_wrong_client(status: StatusCode, code: Option<&str>) -> bool {
    match code {
        Some("invalid_client") => status.is_client_error() || status.is_success(),
        Some("access_denied" | "unauthorized_client") => status == StatusCode::UNAUTHORIZED,
        _ => false,
    }
}
