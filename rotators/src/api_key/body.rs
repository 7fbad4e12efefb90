//! The body of a request: JSON with templates for its texts, or a form.

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde_json::{Map, Value};

use crate::configuration::Fields;
use crate::web::Template;
use crate::web::json::Json;
use crate::web::percent::encode;
use crate::web::template::Unfilled;

#[derive(Clone)]
pub(super) enum Body {
    None,
    Json(Node),
    Form(Vec<(String, Template)>),
}

/// JSON whose texts are templates.
#[derive(Clone)]
pub(super) enum Node {
    Text(Template),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
    Plain(Value),
}

/// What a place stands for.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<SecretString>;

impl Body {
    /// Reads the field `json` or the field `form`, if there is one.
    pub(super) fn read(fields: &mut Fields) -> Self {
        if fields.has("json") && fields.has("form") {
            fields.fault("form", "and `json` exclude each other");
        }
        let form = fields.map("form");
        if let Some(json) = fields.value("json") {
            return Node::of(json).map_or_else(
                || {
                    fields.fault("json", "holds braces that are no place; double them");
                    Self::None
                },
                Self::Json,
            );
        }
        if form.is_empty() {
            return Self::None;
        }
        let parse = |(name, value): (String, String)| Some((name, Template::parse(&value).ok()?));
        let form: Option<Vec<_>> = form.into_iter().map(parse).collect();
        form.map_or_else(
            || {
                fields.fault("form", "holds braces that are no place; double them");
                Self::None
            },
            Self::Form,
        )
    }

    /// The field that it was read from.
    pub(super) fn field(&self) -> &'static str {
        match self {
            Self::Form(_) => "form",
            Self::Json(_) | Self::None => "json",
        }
    }

    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::None => Vec::new(),
            Self::Json(node) => node.names(),
            Self::Form(pairs) => pairs.iter().flat_map(|(_, value)| value.names()).collect(),
        }
    }

    pub(super) fn content_type(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Json(_) => Some("application/json"),
            Self::Form(_) => Some("application/x-www-form-urlencoded"),
        }
    }

    /// The bytes to send, or the name of a place for which nothing is known.
    pub(super) fn render(&self, value: Lookup<'_>) -> Option<Result<Vec<u8>, String>> {
        match self {
            Self::None => None,
            Self::Json(node) => Some(node.fill(value).map(|filled| {
                let filled = Json::of(filled);
                // A document in memory has no way to fail.
                serde_json::to_vec(filled.value()).unwrap_or_default()
            })),
            Self::Form(pairs) => Some(form(pairs, value)),
        }
    }
}

fn form(pairs: &[(String, Template)], value: Lookup<'_>) -> Result<Vec<u8>, String> {
    let mut parts: Vec<Zeroizing<String>> = Vec::new();
    for (name, template) in pairs {
        let filled = template.fill(value).map_err(|Unfilled(name)| name)?;
        let (name, filled) = (encode(name.as_bytes()), encode(filled.as_bytes()));
        parts.push(Zeroizing::new(
            [name.as_str(), "=", filled.as_str()].concat(),
        ));
    }
    let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
    Ok(parts.join("&").into_bytes())
}

impl Node {
    fn of(value: Value) -> Option<Self> {
        Some(match value {
            Value::String(text) => Self::Text(Template::parse(&text).ok()?),
            Value::Array(items) => {
                Self::List(items.into_iter().map(Self::of).collect::<Option<_>>()?)
            }
            Value::Object(members) => {
                let member = |(key, value)| Some((key, Self::of(value)?));
                Self::Object(members.into_iter().map(member).collect::<Option<_>>()?)
            }
            plain => Self::Plain(plain),
        })
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Self::Text(template) => template.names().collect(),
            Self::List(items) => items.iter().flat_map(Self::names).collect(),
            Self::Object(members) => members.iter().flat_map(|(_, node)| node.names()).collect(),
            Self::Plain(_) => Vec::new(),
        }
    }

    fn fill(&self, value: Lookup<'_>) -> Result<Value, String> {
        Ok(match self {
            Self::Text(template) => {
                let filled = template.fill(value).map_err(|Unfilled(name)| name)?;
                Value::String(filled.as_str().to_owned())
            }
            Self::List(items) => {
                let items: Result<_, _> = items.iter().map(|item| item.fill(value)).collect();
                Value::Array(items?)
            }
            Self::Object(members) => {
                let fill = |(key, node): &(String, Self)| Ok((key.clone(), node.fill(value)?));
                let members: Result<Map<_, _>, String> = members.iter().map(fill).collect();
                Value::Object(members?)
            }
            Self::Plain(plain) => plain.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration;

    fn rendered(text: &str) -> String {
        let body = configuration::read(text, |fields| Some(Body::read(fields))).expect(text);
        let lookup = |name: &str| (name == "a").then(|| SecretString::from("x\"&{y}"));
        let bytes = body.render(&lookup).expect("a body").expect("all places");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn values_are_escaped_as_the_body_wants_it() {
        assert_eq!(
            rendered(r#"{"json": {"n": 1.50, "deep": [{"{key}": "<{a}>"}, null], "b": "{{a}}"}}"#),
            r#"{"b":"{a}","deep":[{"{key}":"<x\"&{y}>"},null],"n":1.5}"#
        );
        assert_eq!(
            rendered(r#"{"form": {"a b": "{a}", "c": "d"}}"#),
            "a%20b=x%22%26%7By%7D&c=d"
        );
    }

    #[test]
    fn a_body_is_one_or_the_other() {
        for (text, fault) in [
            (
                r#"{"json": {}, "form": {"a": "b"}}"#,
                "`form` and `json` exclude each other",
            ),
            (
                r#"{"json": {"a": ["{"]}}"#,
                "`json` holds braces that are no place; double them",
            ),
            (
                r#"{"form": {"a": "}"}}"#,
                "`form` holds braces that are no place; double them",
            ),
        ] {
            let faults = configuration::read(text, |fields| Some(Body::read(fields)));
            assert_eq!(
                faults.err().map(|faults| faults.to_string()).as_deref(),
                Some(fault)
            );
        }
    }

    #[test]
    fn an_empty_place_is_named() {
        let text = r#"{"json": {"a": "{b.c}"}}"#;
        let body = configuration::read(text, |fields| Some(Body::read(fields))).expect(text);
        let rendered = body.render(&|_| None).expect("a body");
        assert_eq!(rendered, Err("b.c".to_owned()));
    }
}
