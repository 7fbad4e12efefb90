//! Revocation of tokens (RFC 7009).

use std::time::Duration;

use reqwest::header::HeaderName;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::{Context, RotatorError};

use super::authentication::ClientAuthentication;
use super::endpoint::{TokenEndpoint, headers};
use super::message::{Body, Message};
use super::{ClientCredential, http};
use crate::configuration::Fields;
use crate::oauth::assertion::Assertion;
use crate::web::http::{Peer, Reply};
use crate::web::refusal::refusal;
use crate::web::{Authorities, Endpoint, Expectation, Template};

/// When a token is revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RevokeWhen {
    /// When it loses `AWSPREVIOUS`.
    #[default]
    WhenSuperseded,
    /// When the next one has become `AWSCURRENT`.
    AfterPromotion,
    /// Before the next one is made, for providers that go on handing out the same one.
    BeforeMint,
    /// It is left to expire.
    Never,
}

/// The field `revoke`.
#[derive(Clone, Debug)]
pub(crate) struct Revocation {
    pub(crate) when: RevokeWhen,
    url: Endpoint,
    parameter: String,
    hint: bool,
    authentication: ClientAuthentication,
    assertion: Assertion,
    audience: String,
    extra: Vec<(String, Template)>,
    headers: Vec<(HeaderName, Template)>,
    body: Body,
    success: Expectation,
    gone: Vec<u16>,
    authorities: Option<Authorities>,
    timeout: Duration,
}

impl Revocation {
    /// Reads the fields; what they do not say is as at the token endpoint.
    pub(crate) fn read(fields: &mut Fields, endpoint: &TokenEndpoint) -> Option<Self> {
        let url = fields.required_endpoint("url");
        let authentication = ClientAuthentication::read(fields, "client_authentication");
        let when = fields.choice(
            "when",
            [
                ("when_superseded", RevokeWhen::WhenSuperseded),
                ("after_promotion", RevokeWhen::AfterPromotion),
                ("before_mint", RevokeWhen::BeforeMint),
                ("never", RevokeWhen::Never),
            ],
        );
        let parameter = fields.text("parameter");
        Some(Self {
            when,
            parameter: parameter.unwrap_or_else(|| "token".to_owned()),
            hint: fields.flag("hint", true),
            authentication: authentication.unwrap_or_else(|| endpoint.authentication.clone()),
            assertion: endpoint.assertion.clone(),
            audience: endpoint.token_url.url().as_str().to_owned(),
            extra: fields.templates("parameters"),
            headers: headers(fields, "headers"),
            body: fields.choice("body", [("form", Body::Form), ("json", Body::Json)]),
            success: fields
                .object("success", |inner| Some(Expectation::read(inner)))
                .unwrap_or_default(),
            gone: fields.statuses("already_gone").unwrap_or_default(),
            authorities: endpoint.authorities.clone(),
            timeout: endpoint.timeout,
            url: url?,
        })
    }

    /// Makes the provider forget an access token. That it is forgotten already is a success.
    pub(crate) async fn revoke(
        &self,
        client: &ClientCredential,
        token: &SecretString,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let peer = Peer {
            role: "the revocation URL",
            endpoint: &self.url,
        };
        let mut message = Message::default();
        message.add(&self.parameter, token.expose_secret());
        if self.hint {
            message.add("token_type_hint", "access_token");
        }
        let authentication = &self.authentication;
        authentication.prove(&mut message, client, &self.assertion, &self.audience)?;
        for (name, template) in &self.extra {
            message.set(name, &client.fill(template, "revoke.parameters")?);
        }
        for (name, template) in &self.headers {
            message.header(name, &client.fill(template, "revoke.headers")?)?;
        }
        let sender =
            http::client_with(self.authorities.as_ref(), authentication.identity(client)?)?;
        let request = message.post(&sender, &self.url, self.body);
        let reply = http::send(request, peer, self.timeout, cx).await?;
        if self.success.is_met(&reply) || self.is_gone(&reply) {
            return Ok(());
        }
        Err(refusal(&reply, peer, &authentication.remedy(client)))
    }

    fn is_gone(&self, reply: &Reply) -> bool {
        self.gone.contains(&reply.status.as_u16())
    }
}
