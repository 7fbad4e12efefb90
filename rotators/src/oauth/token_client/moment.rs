//! Moments as providers write them.

use serde_json::Value;

/// Later numbers than this are milliseconds: as seconds it is the year 5138.
const MOST_SECONDS: f64 = 100_000_000_000.0;

/// Seconds since 1970: from a number of seconds or milliseconds, such a number as text, or RFC 3339.
pub(crate) fn seconds(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match text.trim().parse() {
            Ok(number) => number,
            Err(_) => return rfc3339(text.trim()),
        },
        _ => return None,
    };
    let number = if number > MOST_SECONDS {
        number / 1000.0
    } else {
        number
    };
    let since = std::time::Duration::try_from_secs_f64(number).ok()?;
    Some(since.as_secs()).filter(|seconds| *seconds > 0)
}

/// `2026-07-24T12:30:00.5+02:00` (RFC 3339, section 5.6), without its fraction.
fn rfc3339(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        let digits_only = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits_only.then(|| digits.parse().ok())?
    };
    let sign = |at: usize| text.as_bytes().get(at).copied();
    let [year, month, day] = [number(0, 4)?, number(5, 7)?, number(8, 10)?];
    let [hour, minute, second] = [number(11, 13)?, number(14, 16)?, number(17, 19)?];
    let separated = [sign(4), sign(7), sign(13), sign(16)]
        == [Some(b'-'), Some(b'-'), Some(b':'), Some(b':')]
        && matches!(sign(10), Some(b'T' | b't' | b' '));
    let within = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !separated || !within {
        return None;
    }
    let mut rest = text.get(19..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let minutes =
                rest.get(1..3)?.parse::<i64>().ok()? * 60 + rest.get(4..6)?.parse::<i64>().ok()?;
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + (minute - offset) * 60 + second;
    u64::try_from(seconds).ok()
}

/// Days since 1970-01-01 in the Gregorian calendar; years begin in March, so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let leaps = year / 4 - year / 100 + year / 400;
    // 719,468 days from 0000-03-01 to 1970-01-01.
    year * 365 + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_come_in_every_dress() {
        for (value, moment) in [
            (json!(1_767_225_600), Some(1_767_225_600)),
            (json!(1_767_225_600.9), Some(1_767_225_600)),
            (json!("1767225600"), Some(1_767_225_600)),
            (json!(1_767_225_600_123_u64), Some(1_767_225_600)),
            (json!("2026-01-01T00:00:00Z"), Some(1_767_225_600)),
            (
                json!("2026-01-01T02:00:00.123456+02:00"),
                Some(1_767_225_600),
            ),
            (json!("2025-12-31t19:30:00-04:30"), Some(1_767_225_600)),
            (json!("1970-01-01T00:00:01Z"), Some(1)),
            (json!("2000-02-29T00:00:00Z"), Some(951_782_400)),
            (json!("2024-03-01 00:00:00Z"), Some(1_709_251_200)),
            (json!("2026-13-01T00:00:00Z"), None),
            (json!("2026-01-01T00:00:00"), None),
            (json!("2026-01-01"), None),
            (json!("20260101T000000Z"), None),
            (json!("+026-01-01T00:00:00Z"), None),
            (json!("soon"), None),
            (json!("é026-01-01T00:00:00Z"), None),
            (json!(-1), None),
            (json!("inf"), None),
            (json!(null), None),
        ] {
            assert_eq!(seconds(&value), moment, "{value}");
        }
    }
}
