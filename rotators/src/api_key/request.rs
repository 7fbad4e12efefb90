//! A request by configuration: method, URL, headers and body, with places that are filled in.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::{Context, RotatorError};
use serde_json::Value;

use super::body::Body;
use super::places::{Scope, Values, is_management_token, is_of_admin, unfilled};
use crate::configuration::Fields;
use crate::web::http::{self, Peer, Reply};
use crate::web::json::scalar;
use crate::web::refusal::refusal;
use crate::web::template::NoUrl;
use crate::web::{Endpoint, Pointer, Template, UrlTemplate};

/// One kind of request to the provider.
#[derive(Clone)]
pub(super) struct Request {
    /// The object of the configuration that it stands in.
    name: &'static str,
    /// As errors name it.
    role: &'static str,
    method: &'static str,
    url: UrlTemplate,
    /// The URL with something harmless in its places.
    sample: Endpoint,
    headers: Vec<(HeaderName, Template)>,
    basic: Option<(Template, Template)>,
    body: Body,
}

/// What one is called.
pub(super) struct Title {
    pub(super) name: &'static str,
    pub(super) role: &'static str,
    /// Where the configuration names none.
    pub(super) method: &'static str,
}

impl Request {
    /// Reads the fields `method`, `url`, `headers`, `basic`, and `json` or `form`.
    pub(super) fn read(fields: &mut Fields, title: &Title, scope: &Scope) -> Option<Self> {
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"].map(|method| (method, method));
        let method = if fields.has("method") {
            fields.choice("method", methods)
        } else {
            title.method
        };
        let url = fields.required("url", UrlTemplate::parse);
        let sample = url.as_ref().and_then(|url| url.sample().ok());
        if let Some(sample) = &sample
            && !fields.allowed_hosts().allow(sample)
        {
            fields.fault("url", "leads to a host that is not one of `allowed_hosts`");
        }
        let headers = headers(fields);
        let basic = fields.object("basic", |basic| {
            let user = basic.required("username", Template::parse);
            let password = basic.required("password", Template::parse);
            check(
                basic,
                "username",
                user.iter().flat_map(Template::names),
                scope,
            );
            check(
                basic,
                "password",
                password.iter().flat_map(Template::names),
                scope,
            );
            Some((user?, password?))
        });
        if basic.is_some() && headers.iter().any(|(name, _)| name == AUTHORIZATION) {
            fields.fault("basic", "and a header Authorization exclude each other");
        }
        let body = Body::read(fields);

        check(
            fields,
            "url",
            url.iter().flat_map(UrlTemplate::names),
            scope,
        );
        let in_headers = headers.iter().flat_map(|(_, value)| value.names());
        check(fields, "headers", in_headers, scope);
        check(fields, body.field(), body.names().into_iter(), scope);
        Some(Self {
            name: title.name,
            role: title.role,
            method,
            url: url?,
            sample: sample?,
            headers,
            basic,
            body,
        })
    }

    /// The names of its places, wherever they stand.
    pub(super) fn places(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.url.names().collect();
        names.extend(self.headers.iter().flat_map(|(_, value)| value.names()));
        if let Some((user, password)) = &self.basic {
            names.extend(user.names().chain(password.names()));
        }
        names.extend(self.body.names());
        names
    }

    /// Whether it is filled from the administrator's secret.
    pub(super) fn needs_admin(&self) -> bool {
        self.places().into_iter().any(is_of_admin)
    }

    /// Whether it is filled with a token that is minted for it.
    pub(super) fn needs_management_token(&self) -> bool {
        self.places().into_iter().any(is_management_token)
    }

    /// Who is asked, as errors name it.
    pub(super) fn peer(&self) -> Peer<'_> {
        Peer {
            role: self.role,
            endpoint: &self.sample,
        }
    }

    /// The error for a reply that is no success.
    pub(super) fn refusal(&self, reply: &Reply) -> RotatorError {
        let remedy = format!(
            "check how `{}` of the configuration authenticates, and the keys that it is filled from",
            self.name
        );
        refusal(reply, self.peer(), &remedy)
    }

    /// Whether an id can stand in its URL.
    pub(super) fn is_addressable(&self, id: &SecretString) -> Result<(), RotatorError> {
        let filled = self.url.fill(&|name| match name {
            name if name.starts_with("retired.") => Some(id.clone()),
            _ => Some(SecretString::from("x")),
        });
        filled.map(drop).map_err(|_| {
            RotatorError::misconfigured(format!(
                "the provider answers with an id that cannot be part of a URL, so what it made could never be \
                 deleted; correct the pointer to the id, and delete what it made at {}",
                self.sample.authority()
            ))
        })
    }

    /// Where it goes with these values.
    fn endpoint(&self, values: &Values<'_>) -> Result<Endpoint, RotatorError> {
        self.url.fill(&|name| values.get(name)).map_err(|fault| match fault {
            NoUrl::Unfilled(name) => unfilled(&name),
            NoUrl::Astray => RotatorError::misconfigured(format!(
                "a value for {} would lead to another place; correct the URL, or the value in the secret",
                self.peer()
            )),
        })
    }

    /// Sends it once.
    pub(super) async fn send(
        &self,
        values: &Values<'_>,
        timeout: Duration,
        cx: &Context,
    ) -> Result<Reply, RotatorError> {
        let endpoint = self.endpoint(values)?;
        // One of five words that are methods.
        let method = Method::from_bytes(self.method.as_bytes()).unwrap_or_default();
        let request = http::client()?.request(method, endpoint.url().clone());
        let mut request = request.headers(self.filled_headers(values)?);
        if let Some((user, password)) = &self.basic {
            let (user, password) = (fill(user, values)?, fill(password, values)?);
            request = request.basic_auth(&*user, Some(&*password));
        }
        if let Some(body) = self.body.render(&|name| values.get(name)) {
            request = request.body(body.map_err(|name| unfilled(&name))?);
        }
        http::send(request, self.peer(), timeout, cx).await
    }

    fn filled_headers(&self, values: &Values<'_>) -> Result<HeaderMap, RotatorError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(kind) = self.body.content_type() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, template) in &self.headers {
            let filled = fill(template, values)?;
            let mut value = HeaderValue::from_str(&filled).map_err(|_| {
                RotatorError::misconfigured(format!(
                    "a key of the secret cannot be part of the header `{name}`; correct it"
                ))
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

fn fill(template: &Template, values: &Values<'_>) -> Result<Zeroizing<String>, RotatorError> {
    let filled = template.fill(&|name| values.get(name));
    filled.map_err(|fault| unfilled(&fault.0))
}

fn headers(fields: &mut Fields) -> Vec<(HeaderName, Template)> {
    let read = fields.map("headers").into_iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "has no header's name")?;
        let value = Template::parse(&value).map_err(|_| "holds braces that are no place")?;
        if name == reqwest::header::HOST || name == reqwest::header::CONTENT_LENGTH {
            return Err("must not hold Host or Content-Length");
        }
        Ok((name, value))
    });
    let read: Result<Vec<_>, &str> = read.collect();
    read.unwrap_or_else(|rule| {
        fields.fault("headers", rule);
        Vec::new()
    })
}

/// A fault for the first place that is not of the scope. Its name is not quoted: it may be anything.
fn check<'n>(
    fields: &mut Fields,
    field: &str,
    mut names: impl Iterator<Item = &'n str>,
    scope: &Scope,
) {
    if names.any(|name| !scope.allows(name)) {
        fields.fault(
            field,
            format_args!("holds a place that is not known there; there are {scope}"),
        );
    }
}

/// What a reply must hold, as text.
pub(super) fn text_in(value: &Value, pointer: &Pointer) -> Option<SecretString> {
    let text = scalar(pointer.find(value)?)?;
    // What is stored has to fit into a header later, where a stored value that does not would stay.
    let fits =
        |text: &str| text.trim() == text && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    fits(text.expose_secret()).then_some(text)
}
