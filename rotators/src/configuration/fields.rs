//! One JSON object, field by field.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::AllowedHosts;
use crate::web::{Endpoint, Template};

/// The fields of an object that were not read yet. Each reader takes its field out, notes a fault where it
/// does not fit, and gives a usable value all the same where there is a default.
#[derive(Debug)]
pub struct Fields {
    members: Map<String, Value>,
    /// With a dot at the end, or empty.
    path: String,
    hosts: AllowedHosts,
    faults: Rc<RefCell<Vec<String>>>,
}

impl Fields {
    pub(super) fn new(members: Map<String, Value>, faults: Rc<RefCell<Vec<String>>>) -> Self {
        let mut fields = Self {
            members,
            path: String::new(),
            hosts: AllowedHosts::default(),
            faults,
        };
        if fields.members.contains_key("allowed_hosts") {
            fields.hosts = AllowedHosts(Some(fields.texts("allowed_hosts")));
        }
        fields
    }

    /// The field `allowed_hosts` of the whole configuration.
    pub fn allowed_hosts(&self) -> &AllowedHosts {
        &self.hosts
    }

    /// Notes that a field does not fit: `rule` follows its name, as in "must be a list".
    pub fn fault(&mut self, name: &str, rule: impl Display) {
        let fault = format!("`{}{name}` {rule}", self.path);
        self.faults.borrow_mut().push(fault);
    }

    /// Whether a field is there and was not read yet.
    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Whether a field that was not read yet is an object, for fields that take one or something shorter.
    pub fn is_object(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(Value::is_object)
    }

    /// Anything; `null` counts as absent.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => {
                self.fault(name, "must be a text that is not empty");
                None
            }
        }
    }

    /// A text that must be there.
    pub fn required_text(&mut self, name: &str) -> Option<String> {
        self.must_be_there(name);
        self.text(name)
    }

    /// A text with a form of its own. The error of `parse` follows the field's name.
    pub fn parsed<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        parse(&text).map_err(|rule| self.fault(name, rule)).ok()
    }

    /// The same, and it must be there.
    pub fn required<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.must_be_there(name);
        self.parsed(name, parse)
    }

    /// A URL, at one of the allowed hosts.
    pub fn endpoint(&mut self, name: &str) -> Option<Endpoint> {
        let endpoint = self.parsed(name, Endpoint::parse)?;
        if self.hosts.allow(&endpoint) {
            return Some(endpoint);
        }
        self.fault(name, "leads to a host that is not one of `allowed_hosts`");
        None
    }

    /// A URL that must be there.
    pub fn required_endpoint(&mut self, name: &str) -> Option<Endpoint> {
        self.must_be_there(name);
        self.endpoint(name)
    }

    /// One of a few words, the first being the default.
    pub fn choice<T: Copy, const N: usize>(&mut self, name: &str, choices: [(&str, T); N]) -> T {
        const { assert!(N > 0, "a choice needs something to choose from") };
        let Some(value) = self.value(name) else {
            return choices[0].1;
        };
        let found = choices.iter().find(|(word, _)| value == *word);
        if let Some((_, choice)) = found {
            return *choice;
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        self.fault(name, format_args!("must be {}", words.join(" or ")));
        choices[0].1
    }

    /// A whole number within a range.
    pub fn number(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let Some(value) = self.value(name) else {
            return default;
        };
        match value.as_u64() {
            Some(number) if range.contains(&number) => number,
            _ => {
                let (least, most) = (range.start(), range.end());
                self.fault(
                    name,
                    format_args!("must be a whole number from {least} to {most}"),
                );
                default
            }
        }
    }

    /// True or false.
    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.value(name) {
            None => default,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.fault(name, "must be true or false");
                default
            }
        }
    }

    /// A list of texts; empty where the field is absent.
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        let texts = match self.value(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
            Some(_) => None,
        };
        texts.unwrap_or_else(|| {
            self.fault(name, "must be a list of texts");
            Vec::new()
        })
    }

    /// A list of HTTP status codes that is not empty.
    pub fn statuses(&mut self, name: &str) -> Option<Vec<u16>> {
        let value = self.value(name)?;
        let code = |code: &Value| {
            let code = u16::try_from(code.as_u64()?).ok()?;
            (100..=599).contains(&code).then_some(code)
        };
        let codes = value.as_array().filter(|codes| !codes.is_empty());
        let codes = codes.and_then(|codes| codes.iter().map(code).collect());
        if codes.is_none() {
            self.fault(name, "must be a list of HTTP status codes, 100 to 599");
        }
        codes
    }

    /// Names and texts, such as headers; empty where the field is absent.
    pub fn map(&mut self, name: &str) -> Vec<(String, String)> {
        let texts = match self.value(name) {
            None => return Vec::new(),
            Some(Value::Object(members)) => members
                .iter()
                .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
            Some(_) => None,
        };
        texts.unwrap_or_else(|| {
            self.fault(name, "must be an object of texts");
            Vec::new()
        })
    }

    /// Names and texts with places, such as parameters; empty where the field is absent.
    pub fn templates(&mut self, name: &str) -> Vec<(String, Template)> {
        let mut templates = Vec::new();
        for (key, text) in self.map(name) {
            match Template::parse(&text) {
                Ok(template) => templates.push((key, template)),
                Err(rule) => self.fault(name, format_args!("has `{key}`, which {rule}")),
            }
        }
        templates
    }

    /// An object within this one.
    pub fn object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let Value::Object(members) = self.value(name)? else {
            self.fault(name, "must be an object");
            return None;
        };
        let mut inner = Self {
            members,
            path: format!("{}{name}.", self.path),
            hosts: self.hosts.clone(),
            faults: Rc::clone(&self.faults),
        };
        let settings = read(&mut inner);
        inner.finish();
        settings
    }

    /// An object that must be there.
    pub fn required_object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        self.must_be_there(name);
        self.object(name, read)
    }

    fn must_be_there(&mut self, name: &str) {
        if self.members.get(name).is_none_or(Value::is_null) {
            self.fault(name, "is missing");
        }
    }

    /// What nobody asked for is misspelt, or meant for another kind of rotation.
    pub(super) fn finish(mut self) {
        let unknown: Vec<_> = self.members.keys().cloned().collect();
        for name in unknown {
            self.fault(&name, "is not known here");
        }
    }
}
