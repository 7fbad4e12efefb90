//! JSON replies, which may hold secrets anywhere.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;
use secrecy::zeroize::Zeroize;
use serde_json::Value;

/// Where in a JSON document something stands (RFC 6901): `/data/0/token`.
///
/// ```
/// use rotators::web::Pointer;
///
/// assert!(Pointer::parse("/data/0/token").is_ok());
/// assert!(Pointer::parse("data.token").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(String);

/// No JSON pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a JSON pointer (RFC 6901) such as /data/token, with ~0 for ~ and ~1 for /")]
pub struct InvalidPointer;

impl Pointer {
    /// Reads a pointer.
    ///
    /// # Errors
    /// [`InvalidPointer`]: it does not begin with `/`, or holds a `~` that is no escape.
    pub fn parse(text: &str) -> Result<Self, InvalidPointer> {
        let escaped = text
            .split('~')
            .skip(1)
            .all(|part| part.starts_with(['0', '1']));
        if text.starts_with('/') && escaped {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPointer)
        }
    }

    /// One of our own defaults: a member of the reply itself.
    pub(crate) fn member(name: &'static str) -> Self {
        Self(format!("/{name}"))
    }

    /// What stands there in this part of a document.
    pub(crate) fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.pointer(&self.0)
    }
}

impl Pointer {
    /// A member of the document itself, whatever its name.
    pub(crate) fn named(key: &str) -> Self {
        Self(format!("/{}", key.replace('~', "~0").replace('/', "~1")))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A JSON document that is wiped when it is dropped.
pub(crate) struct Json(Value);

impl Json {
    /// The document; `None` where it is none.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().map(Self)
    }

    /// A document that was made here.
    pub(crate) fn of(value: Value) -> Self {
        Self(value)
    }

    /// The whole of it.
    pub(crate) fn value(&self) -> &Value {
        &self.0
    }

    pub(crate) fn at(&self, pointer: &Pointer) -> Option<&Value> {
        pointer.find(&self.0)
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, pointer: &Pointer) -> Option<SecretString> {
        let text = self.at(pointer)?.as_str()?;
        (!text.is_empty()).then(|| SecretString::from(text))
    }

    /// A number, or a text that is one: providers write both.
    pub(crate) fn number(&self, pointer: &Pointer) -> Option<f64> {
        let number = match self.at(pointer)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => f64::from_str(text.trim()).ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite())
    }

    /// Whether something stands there that says something: not `null`, not `false`, not empty.
    pub(crate) fn holds(&self, pointer: &Pointer) -> bool {
        match self.at(pointer) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        }
    }
}

/// A text that is not empty, or a number or truth value in the letters of JSON: ids come as both.
pub(crate) fn scalar(value: &Value) -> Option<SecretString> {
    match value {
        Value::String(text) if !text.is_empty() => Some(SecretString::from(text.as_str())),
        Value::Number(_) | Value::Bool(_) => Some(SecretString::from(value.to_string())),
        _ => None,
    }
}

impl Drop for Json {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Keys stay: they are the provider's words, not its secrets.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Json([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn pointers_begin_with_a_slash_and_escape_by_tilde() {
        for good in ["/a", "/", "/a/0/b~1c~0", "/a b"] {
            assert!(Pointer::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "a/b", "/a~2", "/a~", "$.a"] {
            assert_eq!(Pointer::parse(bad), Err(InvalidPointer), "{bad}");
        }
    }

    #[test]
    fn numbers_come_in_every_dress() {
        let json = Json::parse(
            br#"{"a": 7200, "b": "7200", "c": 7200.5, "d": " 7200 ", "e": "soon", "f": "inf", "g": null}"#,
        )
        .expect("JSON");
        for (member, number) in [
            ("a", Some(7200.0)),
            ("b", Some(7200.0)),
            ("c", Some(7200.5)),
            ("d", Some(7200.0)),
            ("e", None),
            ("f", None),
            ("g", None),
            ("h", None),
        ] {
            assert_eq!(json.number(&Pointer::member(member)), number, "{member}");
        }
    }

    #[test]
    fn texts_are_found_deep_down_and_shown_nowhere() {
        let json = Json::parse(br#"{"data": [{"token": "sentinel"}], "empty": ""}"#).expect("JSON");
        let found = json.text(&Pointer::parse("/data/0/token").expect("a pointer"));
        assert_eq!(found.expect("a text").expose_secret(), "sentinel");
        assert!(json.text(&Pointer::member("empty")).is_none());
        assert!(json.text(&Pointer::member("data")).is_none());
        assert_eq!(format!("{json:?}"), "Json([redacted])");
    }

    #[test]
    fn a_dropped_document_holds_nothing() {
        let mut value = serde_json::json!({"a": ["sentinel", {"b": "sentinel"}]});
        wipe(&mut value);
        assert_eq!(value, serde_json::json!({"a": ["", {"b": ""}]}));
    }
}
