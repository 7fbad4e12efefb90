//! What credentials the provider holds, to find those that no version of the secret names.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::places::{Scope, Source};
use super::request::{Request, Title};
use super::settings::{Names, success};
use crate::configuration::Fields;
use crate::web::http::Reply;
use crate::web::json::scalar;
use crate::web::{Expectation, Pointer};

/// How credentials are listed.
#[derive(Clone)]
pub(super) struct Listing {
    pub(super) request: Request,
    pub(super) success: Expectation,
    /// Where the list stands; `None`: the reply is the list.
    items: Option<Pointer>,
    id: Pointer,
    pub(super) name: Option<Pointer>,
    pub(super) created: Option<Pointer>,
}

/// One credential of the list.
pub(super) struct Listed {
    pub(super) id: SecretString,
    pub(super) name: Option<SecretString>,
    pub(super) created: Option<SystemTime>,
}

impl Listing {
    pub(super) fn read(fields: &mut Fields, names: Names) -> Option<Self> {
        let scope = Scope {
            sources: &[Source::Current, Source::Admin, Source::Version],
            id: names.id,
            gone: &[],
        };
        let title = Title {
            name: "list",
            role: "the URL of `list`",
            method: "GET",
        };
        let request = Request::read(fields, &title, &scope);
        let success = success(fields);
        let items = fields.parsed("items", Pointer::parse);
        let id = fields.required("id", Pointer::parse);
        let name = fields.parsed("name", Pointer::parse);
        let created = fields.parsed("created", Pointer::parse);
        if name.is_none() && created.is_none() {
            fields.fault(
                "name",
                "or `created` must be there, to tell ours from others",
            );
        }
        Some(Self {
            request: request?,
            success,
            items,
            id: id?,
            name,
            created,
        })
    }

    /// The credentials of a reply; `None` where it is no list of things with ids.
    pub(super) fn items(&self, reply: &Reply) -> Option<Vec<Listed>> {
        let json = reply.json()?;
        let items = match &self.items {
            None => json.value(),
            Some(pointer) => json.at(pointer)?,
        };
        items
            .as_array()?
            .iter()
            .map(|item| self.item(item))
            .collect()
    }

    fn item(&self, item: &Value) -> Option<Listed> {
        let at = |pointer: &Option<Pointer>| pointer.as_ref().and_then(|p| p.find(item));
        Some(Listed {
            id: scalar(self.id.find(item)?)?,
            name: at(&self.name).and_then(scalar),
            created: at(&self.created).and_then(moment),
        })
    }
}

impl Listed {
    /// Whether it was named after this version.
    pub(super) fn is_named_after(&self, version: &str) -> bool {
        let name = self.name.as_ref().map(ExposeSecret::expose_secret);
        name.is_some_and(|name| name.contains(version))
    }

    pub(super) fn is(&self, id: Option<&SecretString>) -> bool {
        id.is_some_and(|id| id.expose_secret() == self.id.expose_secret())
    }
}

/// A point in time: seconds or milliseconds since 1970, or a text of RFC 3339.
fn moment(value: &Value) -> Option<SystemTime> {
    let text = match value {
        Value::Number(number) => return since_1970(number.as_f64()?),
        Value::String(text) => text.trim(),
        _ => return None,
    };
    match text.parse() {
        Ok(number) => since_1970(number),
        Err(_) => rfc_3339(text),
    }
}

fn since_1970(number: f64) -> Option<SystemTime> {
    // Seconds reach this in the year 5138, milliseconds did in 1973.
    let seconds = if number < 1e11 { number } else { number / 1e3 };
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    UNIX_EPOCH.checked_add(since)
}

/// RFC 3339, section 5.6, with a `T` or a space, and a zone that is UTC where it is missing.
fn rfc_3339(text: &str) -> Option<SystemTime> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let sign = |at: usize, allowed: &[u8]| allowed.contains(text.as_bytes().get(at)?).then_some(());
    for (at, allowed) in [
        (4, b"-".as_slice()),
        (7, b"-"),
        (10, b"Tt "),
        (13, b":"),
        (16, b":"),
    ] {
        sign(at, allowed)?;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let rest = text.get(19..)?;
    let fraction = rest.strip_prefix('.').map_or("", |rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        &rest[..digits]
    });
    let zone = rest
        .trim_start_matches('.')
        .trim_start_matches(|c: char| c.is_ascii_digit());
    let offset = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let digit = |byte: &u8| char::from(*byte).to_digit(10).map(i64::from);
            let minutes = (digit(h1)? * 10 + digit(h2)?) * 60 + digit(m1)? * 10 + digit(m2)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    // Days since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in
    // March, so that the leap day is their last).
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second;
    let whole = Duration::from_secs(u64::try_from(seconds).ok()?);
    let part: f64 = format!("0.{fraction}0").parse().ok()?;
    UNIX_EPOCH.checked_add(whole + Duration::from_secs_f64(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_come_in_every_dress() {
        for (value, milliseconds) in [
            (json!(1_700_000_000), Some(1_700_000_000_000)),
            (json!(1_700_000_000_250_u64), Some(1_700_000_000_250)),
            (json!("1700000000"), Some(1_700_000_000_000)),
            (json!("2023-11-14T22:13:20Z"), Some(1_700_000_000_000)),
            (json!("2023-11-14t22:13:20.250z"), Some(1_700_000_000_250)),
            (json!("2023-11-15T00:13:20+02:00"), Some(1_700_000_000_000)),
            (json!("2023-11-14 22:13:20"), Some(1_700_000_000_000)),
            (json!("2024-02-29T00:00:00Z"), Some(1_709_164_800_000)),
            (json!("1970-01-01T00:00:00Z"), Some(0)),
            (json!("2023-11-14"), None),
            (json!("2023-13-14T22:13:20Z"), None),
            (json!("2023-11-14T22:13:20 UTC"), None),
            (json!("1969-01-01T00:00:00Z"), None),
            (json!("soon"), None),
            (json!(-1), None),
            (json!(null), None),
        ] {
            let found = moment(&value).and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            assert_eq!(
                found.map(|since| since.as_millis()),
                milliseconds,
                "{value}"
            );
        }
    }
}
