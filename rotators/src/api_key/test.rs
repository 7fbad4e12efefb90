//! How a value is tried: by a request with it, or by a token that is minted with it.

use secrets_core::rotator::{RotatorError, Verdict};

use super::places::{Scope, Source};
use super::request::{Request, Title};
use super::settings::{Names, expectation, statuses};
use crate::configuration::Fields;
use crate::oauth::token_client::{Grant, TokenClient, TokenEndpoint};
use crate::web::Expectation;
use crate::web::http::Reply;
use crate::web::refusal::code;

/// How a value is tried.
#[derive(Clone)]
pub(super) enum Test {
    /// The value is a client secret, and gets a token.
    Mint(Box<TokenClient>),
    Request(Box<Trial>),
}

/// A request that presents the value.
#[derive(Clone)]
pub(super) struct Trial {
    pub(super) request: Request,
    accepted: Expectation,
    /// Statuses that mean: this credential is wrong.
    rejected: Vec<u16>,
}

impl Test {
    pub(super) fn read(fields: &mut Fields, names: Names) -> Option<Self> {
        if !fields.has("mint") {
            return Trial::read(fields, names).map(|trial| Self::Request(trial.into()));
        }
        if names.value != "client_secret" {
            fields.fault("mint", "needs `credential` to be client_secret");
        }
        // An assertion of the user's own key would be accepted whatever the client secret is.
        let grants = [("client_credentials", Grant::ClientCredentials)];
        let endpoint = fields.required_object("mint", |mint| TokenEndpoint::read(mint, grants))?;
        if !endpoint.presents_client_secret() {
            fields.fault(
                "mint.client_authentication",
                "must be basic, post, client_secret_jwt or a header with {client_secret}, so that it is the \
                 client secret that is tried",
            );
        }
        Some(Self::Mint(TokenClient::new(endpoint).into()))
    }

    /// The request, where it is one of ours.
    pub(super) fn request(&self) -> Option<&Request> {
        match self {
            Self::Mint(_) => None,
            Self::Request(trial) => Some(&trial.request),
        }
    }
}

impl Trial {
    fn read(fields: &mut Fields, names: Names) -> Option<Self> {
        let scope = Scope {
            sources: &[Source::Candidate, Source::Admin],
            id: names.id,
            gone: &[],
        };
        let title = Title {
            name: "test",
            role: "the URL of `test`",
            method: "GET",
        };
        let request = Request::read(fields, &title, &scope);
        let wanted = format!("candidate.{}", names.value);
        if request
            .as_ref()
            .is_some_and(|test| !test.places().contains(&wanted.as_str()))
        {
            fields.fault(
                "url",
                format_args!("or headers or body must hold {{{wanted}}}"),
            );
        }
        let accepted = expectation(fields, "accepted");
        let rejected = statuses(fields, "rejected", &[401]);
        Some(Self {
            request: request?,
            accepted,
            rejected,
        })
    }
}

impl Trial {
    pub(super) fn verdict(&self, reply: &Reply) -> Result<Verdict, RotatorError> {
        if self.accepted.is_met(reply) {
            return Ok(Verdict::Accepted);
        }
        if self.rejected.contains(&reply.status.as_u16()) {
            return Ok(Verdict::Rejected);
        }
        Err(if self.accepted.has_status(reply) {
            let peer = self.request.peer();
            RotatorError::misconfigured(format!(
                "{peer} answers with another body than `test.accepted` says; correct one of them"
            ))
            .with_code(code(reply))
        } else {
            self.request.refusal(reply)
        })
    }
}
