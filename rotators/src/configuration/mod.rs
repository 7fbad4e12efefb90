//! Settings as one JSON object, read whole: every fault is reported, and names its field.
//!
//! A fault never quotes a value: a secret may have been put where it does not belong.

mod fields;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use serde_json::Value;

use crate::web::Endpoint;

pub use fields::Fields;

/// All that is wrong with a configuration: at least one fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Each by itself: a sentence without its full stop that names the field.
    pub fn into_inner(self) -> Vec<String> {
        self.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Faults {}

/// The hosts that requests may go to: the field `allowed_hosts`.
///
/// Without it every host is allowed. It is for settings that are written by more people than may decide
/// where secrets go, and for URLs that come out of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Option<Vec<String>>);

impl AllowedHosts {
    /// Whether the field is there.
    pub fn are_limited(&self) -> bool {
        self.0.is_some()
    }

    /// Whether requests may go there. Hosts are compared without regard to case, and without the port.
    pub fn allow(&self, endpoint: &Endpoint) -> bool {
        self.0.as_ref().is_none_or(|hosts| {
            hosts
                .iter()
                .any(|host| host.eq_ignore_ascii_case(endpoint.host()))
        })
    }
}

/// Reads a configuration.
///
/// `read` takes the fields that it knows out of the object; what it leaves is a fault, so that a
/// misspelt name does not pass for a default.
///
/// ```
/// use rotators::configuration;
///
/// let text = r#"{"token_url": "ftp://example.com", "retries": 11, "colour": "red"}"#;
/// let faults = configuration::read(text, |fields| {
///     let url = fields.required_endpoint("token_url");
///     let retries = fields.number("retries", 3, 0..=9);
///     Some((url?, retries))
/// });
/// assert_eq!(
///     faults.unwrap_err().to_string(),
///     "`token_url` must be a URL that starts with https://, without a user name, a password and a \
///      fragment; `retries` must be a whole number from 0 to 9; `colour` is not known here"
/// );
/// ```
///
/// # Errors
/// All faults, in the order of reading.
pub fn read<T>(text: &str, read: impl FnOnce(&mut Fields) -> Option<T>) -> Result<T, Faults> {
    let faults = Rc::new(RefCell::new(Vec::new()));
    let Ok(Value::Object(members)) = serde_json::from_str(text) else {
        return Err(Faults(vec!["it must be a JSON object".to_owned()]));
    };
    let mut fields = Fields::new(members, Rc::clone(&faults));
    let settings = read(&mut fields);
    fields.finish();
    let mut faults = faults.take();
    match settings {
        Some(settings) if faults.is_empty() => Ok(settings),
        _ => {
            if faults.is_empty() {
                faults.push("it is incomplete".to_owned());
            }
            Err(Faults(faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Pointer;

    #[test]
    fn what_is_no_object_is_refused_without_a_quote() {
        for text in ["", "sentinel", "[\"sentinel\"]", "{\"a\": sentinel}", "1"] {
            let faults = read(text, |_| Some(())).expect_err(text);
            assert_eq!(faults.to_string(), "it must be a JSON object");
        }
    }

    #[test]
    fn every_fault_is_told_with_the_path_of_its_field() {
        let text = r#"{
            "url": "http://sentinel.example", "kind": "sentinel", "count": "3", "on": "yes", "names": "a",
            "inner": {"pointer": "sentinel", "more": {"text": 5}, "odd": 1}, "outer": [],
            "map": {"a": 1}
        }"#;
        let faults = read(text, |fields| {
            fields.endpoint("url");
            fields.choice("kind", [("one", 1), ("two", 2)]);
            fields.number("count", 1, 1..=5);
            fields.flag("on", false);
            fields.texts("names");
            fields.object("inner", |inner| {
                inner.parsed("pointer", Pointer::parse);
                inner.object("more", |more| more.required_text("text"))
            });
            fields.object("outer", |_| Some(()));
            fields.map("map");
            fields.required_text("text");
            Some(())
        });
        let faults = faults.expect_err("faults").into_inner();
        let shown = faults.join("\n");
        for (fault, start) in faults.iter().zip([
            "`url` must be a URL",
            "`kind` must be one or two",
            "`count` must be a whole number from 1 to 5",
            "`on` must be true or false",
            "`names` must be a list of texts",
            "`inner.pointer` must be a JSON pointer",
            "`inner.more.text` must be a text that is not empty",
            "`inner.odd` is not known here",
            "`outer` must be an object",
            "`map` must be an object of texts",
            "`text` is missing",
        ]) {
            assert!(fault.starts_with(start), "{start}: {shown}");
        }
        assert_eq!(faults.len(), 11, "{shown}");
        assert!(!shown.contains("sentinel"), "{shown}");
    }

    #[test]
    fn hosts_that_are_not_allowed_are_refused_wherever_they_stand() {
        let text = r#"{"allowed_hosts": ["login.example.com"], "a": "https://LOGIN.example.com:8443/x",
                       "b": "https://login.example.com.evil.example/x"}"#;
        let faults = read(text, |fields| {
            let good = fields.required_endpoint("a");
            assert!(good.is_some_and(|good| fields.allowed_hosts().allow(&good)));
            fields.required_endpoint("b")
        });
        assert_eq!(
            faults.expect_err("a host").to_string(),
            "`b` leads to a host that is not one of `allowed_hosts`"
        );
    }
}
