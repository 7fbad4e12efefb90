//! What tells a success: some providers answer 200 with an error inside.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::http::Reply;
use super::json::{Json, Pointer};
use crate::configuration::Fields;

/// When a reply counts as a success.
///
/// ```
/// use rotators::configuration;
/// use rotators::web::Expectation;
///
/// let text = r#"{"status": [200, 201], "present": ["/data"], "absent": ["/error"], "equal": {"/ok": true}}"#;
/// assert!(configuration::read(text, |fields| Some(Expectation::read(fields))).is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct Expectation {
    statuses: Vec<RangeInclusive<u16>>,
    /// At least one of them says something; none is asked for where there are none.
    present: Vec<Pointer>,
    absent: Vec<Pointer>,
    equal: Vec<(Pointer, Value)>,
}

impl Default for Expectation {
    /// Any status from 200 to 299, and no member `error` or `errors`.
    fn default() -> Self {
        Self {
            statuses: vec![200..=299],
            present: Vec::new(),
            absent: vec![Pointer::member("error"), Pointer::member("errors")],
            equal: Vec::new(),
        }
    }
}

impl Expectation {
    /// Reads the fields `status` (a list of numbers; default 200 to 299), `present` (at least one of these
    /// pointers says something), `absent` (none of these does; default `/error` and `/errors`) and `equal`
    /// (an object of pointers and what stands there).
    ///
    /// "Says something" means: neither missing nor `null`, `false` or empty.
    pub fn read(fields: &mut Fields) -> Self {
        let default = Self::default();
        let statuses = fields.statuses("status");
        let statuses = statuses.map(|codes| codes.into_iter().map(|code| code..=code).collect());
        let statuses = statuses.unwrap_or(default.statuses);
        let absent = if fields.has("absent") {
            pointers(fields, "absent")
        } else {
            default.absent
        };
        Self {
            statuses,
            present: pointers(fields, "present"),
            absent,
            equal: equal(fields),
        }
    }

    /// Whether a reply is a success.
    pub(crate) fn is_met(&self, reply: &Reply) -> bool {
        self.has_status(reply) && self.has_body(reply)
    }

    /// Whether the status is that of a success.
    pub(crate) fn has_status(&self, reply: &Reply) -> bool {
        let status = reply.status.as_u16();
        self.statuses.iter().any(|range| range.contains(&status))
    }

    fn has_body(&self, reply: &Reply) -> bool {
        let Some(json) = reply.json() else {
            return self.present.is_empty() && self.equal.is_empty();
        };
        self.agrees(&json)
    }

    fn agrees(&self, json: &Json) -> bool {
        (self.present.is_empty() || self.present.iter().any(|pointer| json.holds(pointer)))
            && !self.absent.iter().any(|pointer| json.holds(pointer))
            && self
                .equal
                .iter()
                .all(|(pointer, value)| json.at(pointer) == Some(value))
    }
}

fn pointers(fields: &mut Fields, name: &str) -> Vec<Pointer> {
    let texts = fields.texts(name);
    let pointers: Result<Vec<_>, _> = texts.iter().map(|text| Pointer::parse(text)).collect();
    pointers.unwrap_or_else(|rule| {
        fields.fault(name, rule);
        Vec::new()
    })
}

fn equal(fields: &mut Fields) -> Vec<(Pointer, Value)> {
    let pairs = match fields.value("equal") {
        None => return Vec::new(),
        Some(Value::Object(pairs)) => pairs,
        Some(_) => {
            fields.fault("equal", "must be an object of JSON pointers and values");
            return Vec::new();
        }
    };
    let pairs: Result<Vec<_>, _> = pairs
        .into_iter()
        .map(|(pointer, value)| Pointer::parse(&pointer).map(|pointer| (pointer, value)))
        .collect();
    pairs.unwrap_or_else(|rule| {
        fields.fault("equal", rule);
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration;

    fn expectation(text: &str) -> Expectation {
        configuration::read(text, |fields| Some(Expectation::read(fields))).expect(text)
    }

    #[test]
    fn an_error_inside_is_no_success() {
        let usual = expectation("{}");
        for (status, body, met) in [
            (200, r#"{"access_token": "a"}"#, true),
            (201, r#"{"access_token": "a", "error": null}"#, true),
            (204, "", true),
            (200, "<html>", true),
            (200, r#"{"error": "invalid_client"}"#, false),
            (200, r#"{"errors": [{"code": 99}]}"#, false),
            (302, "{}", false),
            (400, "{}", false),
        ] {
            assert_eq!(
                usual.is_met(&Reply::of(status, body)),
                met,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn what_must_be_there_is_looked_for() {
        let picky = expectation(
            r#"{"status": [200], "present": ["/data", "/meta"], "absent": [], "equal": {"/ok": true}}"#,
        );
        for (status, body, met) in [
            (200, r#"{"ok": true, "data": [1]}"#, true),
            (200, r#"{"ok": true, "meta": {}, "error": "x"}"#, true),
            (200, r#"{"ok": "true", "data": [1]}"#, false),
            (200, r#"{"ok": true, "data": []}"#, false),
            (200, "<html>", false),
            (201, r#"{"ok": true, "data": [1]}"#, false),
        ] {
            assert_eq!(
                picky.is_met(&Reply::of(status, body)),
                met,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn every_fault_has_its_field() {
        let text =
            r#"{"status": "2xx", "present": ["data"], "absent": "error", "equal": {"ok": 1}}"#;
        let faults = configuration::read(text, |fields| Some(Expectation::read(fields)));
        let faults = faults.expect_err("faults").to_string();
        for field in ["`status`", "`present`", "`absent`", "`equal`"] {
            assert!(faults.contains(field), "{faults}");
        }
    }
}
