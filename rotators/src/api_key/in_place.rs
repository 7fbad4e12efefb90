//! A new value that the provider makes in the old one's place.

use reqwest::StatusCode;
use secrecy::SecretString;
use secrets_core::document::Patch;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;

use super::places::{Scope, Source, Values};
use super::request::{Request, Title, text_in};
use super::settings::{Names, success};
use super::{ApiKey, ApiKeyCredential};
use crate::configuration::Fields;
use crate::web::http::Reply;
use crate::web::{Expectation, Pointer};

/// The provider makes a new value in the old one's place.
#[derive(Clone)]
pub(super) struct InPlace {
    pub(super) rotate: Request,
    pub(super) success: Expectation,
    pub(super) value: Pointer,
    pub(super) read: Option<Reading>,
}

/// How the present value can be read back.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) request: Request,
    pub(super) success: Expectation,
    pub(super) value: Pointer,
}

impl InPlace {
    pub(super) fn read(fields: &mut Fields, names: Names) -> Option<Self> {
        let rotate = fields.required_object("rotate", |rotate| {
            let scope = Scope {
                sources: &[Source::Current, Source::Admin, Source::Version],
                id: names.id,
                gone: &[],
            };
            let title = Title {
                name: "rotate",
                role: "the URL of `rotate`",
                method: "POST",
            };
            let request = Request::read(rotate, &title, &scope);
            let success = success(rotate);
            let value = rotate.required("value", Pointer::parse);
            Some((request?, success, value?))
        });
        let read = fields.object("read", |read| {
            let scope = Scope {
                sources: &[Source::Current, Source::Admin],
                id: names.id,
                // It has to work after the value was replaced, too.
                gone: names.one,
            };
            let title = Title {
                name: "read",
                role: "the URL of `read`",
                method: "GET",
            };
            let request = Request::read(read, &title, &scope);
            let success = success(read);
            let value = read.required("value", Pointer::parse);
            Some(Reading {
                request: request?,
                success,
                value: value?,
            })
        });
        let (rotate, success, value) = rotate?;
        Some(Self {
            rotate,
            success,
            value,
            read,
        })
    }
}

impl<R: SecretReader> ApiKey<R> {
    /// Asks first, where that is possible: what is not the current value was made by an earlier try.
    pub(super) async fn mint_in_place(
        &self,
        in_place: &InPlace,
        current: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<Patch, RotatorError> {
        let key = self.settings.names.value;
        let present = current.required(key);
        present.map_err(RotatorError::having_changed_nothing)?;
        let values = Values {
            current: Some(current),
            ..Values::default()
        };
        if let Some(read) = &in_place.read {
            let found = self.read_back(read, values, cx).await;
            let found = found.map_err(RotatorError::having_changed_nothing)?;
            if !current.has(key, &found) {
                return Ok(Patch::key(key, found));
            }
        }
        let reply = self.send(&in_place.rotate, values, cx).await?;
        if reply.status.is_client_error() && reply.status != StatusCode::REQUEST_TIMEOUT {
            return Err(in_place.rotate.refusal(&reply).having_changed_nothing());
        }
        let minted = value_of(&in_place.rotate, &reply, &in_place.success, &in_place.value)?;
        if current.has(key, &minted) {
            return Err(RotatorError::unreachable(format!(
                "{} answers with the current value; nothing is lost, try again later",
                in_place.rotate.peer()
            )));
        }
        Ok(Patch::key(key, minted))
    }

    async fn read_back(
        &self,
        read: &Reading,
        values: Values<'_>,
        cx: &Context,
    ) -> Result<SecretString, RotatorError> {
        let reply = self.send(&read.request, values, cx).await?;
        value_of(&read.request, &reply, &read.success, &read.value)
    }
}

/// The value in a reply that has to be a success.
pub(super) fn value_of(
    request: &Request,
    reply: &Reply,
    success: &Expectation,
    pointer: &Pointer,
) -> Result<SecretString, RotatorError> {
    if !success.is_met(reply) {
        return Err(request.refusal(reply));
    }
    let value = reply.json().and_then(|json| text_in(json.value(), pointer));
    value.ok_or_else(|| {
        RotatorError::misconfigured(format!(
            "{} answers without a text of printable ASCII at `{pointer}`; correct the pointer, or the URL",
            request.peer()
        ))
        .with_code(reply.status.as_str())
    })
}
