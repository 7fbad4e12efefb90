//! One request to a provider's endpoint: its parameters, as a form or as JSON.

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder};
use secrecy::zeroize::{Zeroize, Zeroizing};
use secrets_core::rotator::RotatorError;
use serde_json::{Map, Value};

use crate::web::Endpoint;
use crate::web::percent::encode;

/// How parameters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Body {
    #[default]
    Form,
    Json,
}

/// The parameters and headers of a request that is being put together.
#[derive(Default)]
pub(super) struct Message {
    parameters: Vec<(String, Zeroizing<String>)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Message {
    /// One more parameter.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.parameters
            .push((name.to_owned(), Zeroizing::new(value.to_owned())));
    }

    /// A parameter in the place of all others of its name.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.parameters.retain(|(other, _)| other != name);
        self.add(name, value);
    }

    /// A header that no Debug shows, in the place of others of its name.
    pub(super) fn header(&mut self, name: &HeaderName, value: &str) -> Result<(), RotatorError> {
        let value = sensitive(value)?;
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.clone(), value));
        Ok(())
    }

    pub(super) fn post(self, client: &Client, endpoint: &Endpoint, body: Body) -> RequestBuilder {
        let (kind, text) = match body {
            Body::Form => ("application/x-www-form-urlencoded", self.form()),
            Body::Json => ("application/json", self.json()),
        };
        let mut request = client
            .post(endpoint.url().clone())
            .header("accept", "application/json")
            .header(CONTENT_TYPE, kind);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        request.body(text.as_str().to_owned())
    }

    fn form(&self) -> Zeroizing<String> {
        let pairs = self
            .parameters
            .iter()
            .map(|(name, value)| (encode(name.as_bytes()), encode(value.as_bytes())));
        let pairs: Vec<_> = pairs.collect();
        // To size: a buffer that grows leaves copies of secrets behind.
        let length = pairs
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2);
        let mut form = Zeroizing::new(String::with_capacity(length.sum()));
        for (name, value) in &pairs {
            if !form.is_empty() {
                form.push('&');
            }
            form.push_str(name);
            form.push('=');
            form.push_str(value);
        }
        form
    }

    /// A name that stands more than once becomes a list.
    fn json(&self) -> Zeroizing<String> {
        let mut members = Map::new();
        for (name, value) in &self.parameters {
            let value = Value::from(value.as_str());
            match members.get_mut(name) {
                None => drop(members.insert(name.clone(), value)),
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        let mut members = Value::Object(members);
        let text = Zeroizing::new(members.to_string());
        if let Value::Object(members) = &mut members {
            for value in members.values_mut() {
                if let Value::String(text) = value {
                    text.zeroize();
                }
            }
        }
        text
    }
}

/// A header that no Debug shows.
pub(super) fn sensitive(value: &str) -> Result<HeaderValue, RotatorError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        RotatorError::misconfigured(
            "a key of the secret holds what cannot be part of a header; correct it",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let mut message = Message::default();
        message.add("grant_type", "x");
        message.add("resource", "https://a.example/?b=c&d");
        message.add("resource", "two words");
        message.set("grant_type", "client_credentials");
        message
    }

    #[test]
    fn a_form_is_escaped_and_repeats_names() {
        assert_eq!(
            *message().form(),
            "resource=https%3A%2F%2Fa.example%2F%3Fb%3Dc%26d&resource=two%20words&\
             grant_type=client_credentials"
        );
    }

    #[test]
    fn json_makes_a_list_of_a_name_that_stands_twice() {
        let json: Value = serde_json::from_str(&message().json()).expect("JSON");
        assert_eq!(
            json,
            serde_json::json!({
                "grant_type": "client_credentials",
                "resource": ["https://a.example/?b=c&d", "two words"],
            })
        );
    }
}
