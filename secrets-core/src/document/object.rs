//! A JSON object as pairs of key and raw JSON text, wiped when dropped.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::de::{self, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// Keys in the order of the source; each value as the JSON text that stood there.
#[derive(Clone)]
pub(super) struct Object(Vec<(String, SecretString)>);

impl Object {
    /// Reads an object; on a fault gives line and column, both 1-based.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, usize)> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let object = de::Deserializer::deserialize_map(&mut reader, Pairs)
            .map_err(|fault| (fault.line(), fault.column()))?;
        reader
            .end()
            .map_err(|fault| (fault.line(), fault.column()))?;
        Ok(object)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// The raw JSON under `key`; a null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.raw(key).filter(|raw| *raw != "null")
    }

    fn raw(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, raw)| raw.expose_secret())
    }

    /// Sets `key` to a string.
    pub(super) fn put(&mut self, key: &str, text: &str) {
        self.put_raw(key, SecretString::from(quoted(text).as_str()));
    }

    fn put_raw(&mut self, key: &str, raw: SecretString) {
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = raw,
            None => self.0.push((key.to_owned(), raw)),
        }
    }

    pub(super) fn with_keys_from(&self, other: &Self, keys: &[&str]) -> Self {
        let mut merged = self.clone();
        for key in keys {
            match other.raw(key) {
                Some(raw) => merged.put_raw(key, SecretString::from(raw)),
                None => merged.0.retain(|(name, _)| name != key),
            }
        }
        merged
    }

    pub(super) fn differing_keys(&self, other: &Self) -> Vec<String> {
        let mut differing: Vec<String> = self
            .0
            .iter()
            .filter(|(key, raw)| {
                !other
                    .raw(key)
                    .is_some_and(|two| same(raw.expose_secret(), two))
            })
            .map(|(key, _)| key.clone())
            .collect();
        differing.extend(
            other
                .keys()
                .filter(|key| self.raw(key).is_none())
                .map(str::to_owned),
        );
        differing
    }

    /// The object as JSON, each value to the letter as it was read.
    pub(super) fn to_text(&self) -> SecretString {
        let names: Vec<Zeroizing<String>> = self.keys().map(quoted).collect();
        let mut pieces = vec!["{"];
        for (name, (_, raw)) in names.iter().zip(&self.0) {
            if pieces.len() > 1 {
                pieces.push(", ");
            }
            pieces.extend([name, ": ", raw.expose_secret()]);
        }
        pieces.push("}");
        // Joined in one buffer of the right size: one that grows leaves copies of secrets behind.
        let text = Zeroizing::new(pieces.concat());
        SecretString::from(text.as_str())
    }
}

/// The string that a raw JSON value holds, if it holds one.
pub(super) fn string(raw: &str) -> Option<SecretString> {
    let text = Zeroizing::new(serde_json::from_str::<String>(raw).ok()?);
    // From a slice: this conversion allocates once and to size, so nothing is left to wipe.
    Some(SecretString::from(text.as_str()))
}

/// The strings of the list that a raw JSON value holds, if it holds one of nothing else.
pub(super) fn strings(raw: &str) -> Option<Vec<SecretString>> {
    let texts: Vec<Zeroizing<String>> = serde_json::from_str::<Vec<String>>(raw)
        .ok()?
        .into_iter()
        .map(Zeroizing::new)
        .collect();
    Some(
        texts
            .iter()
            .map(|text| SecretString::from(text.as_str()))
            .collect(),
    )
}

/// A JSON string literal.
fn quoted(text: &str) -> Zeroizing<String> {
    // The longest escape of one byte is `\u00XX`; so the buffer does not grow.
    let mut literal = Zeroizing::new(Vec::with_capacity(text.len() * 6 + 2));
    // Writing a string to memory has no way to fail.
    let _ = serde_json::to_writer(&mut *literal, text);
    Zeroizing::new(String::from_utf8_lossy(&literal).into_owned())
}

/// The same JSON value, whatever its white space, escapes or order of keys.
fn same(one: &str, two: &str) -> bool {
    if one == two {
        return true;
    }
    let value = |raw| serde_json::from_str::<Value>(raw).ok();
    value(one).is_some_and(|one| value(two) == Some(one))
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object(Vec::new());
        while let Some((key, raw)) = map.next_entry::<String, &RawValue>()? {
            // A key that stands twice: the last one holds, as in Python's and most other readers.
            object.put_raw(&key, SecretString::from(raw.get()));
        }
        Ok(object)
    }
}
