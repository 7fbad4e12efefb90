//! What a cluster knows: users, groups, roles, things and rights on them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, digest};

use crate::random;

/// Why a statement or a login is refused: a code, and the routine of the server that refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) routine: &'static str,
}

impl Refusal {
    pub(super) const SYNTAX: Self = Self::of("42601");
    /// A statement that the fake does not know.
    pub(super) const UNKNOWN: Self = Self::of("0A000");
    pub(super) const DENIED: Self = Self::of("42501");
    pub(super) const NO_OBJECT: Self = Self::of("42704");
    pub(super) const DUPLICATE: Self = Self::of("42710");
    pub(super) const BAD_VALUE: Self = Self::of("22023");
    /// Two transactions that contradict each other: Redshift's error 1023.
    pub(super) const CONFLICT: Self = Self::of("XX000");
    /// In a transaction of which a statement was refused.
    pub(super) const ABORTED: Self = Self::of("25P02");

    pub(super) const fn of(code: &'static str) -> Self {
        Self {
            code,
            routine: "ProcessQuery",
        }
    }
}

/// As what a password is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredAs {
    /// As an MD5 hash, with the user's name as the salt.
    Md5,
    /// As a SHA-256 hash.
    Sha256,
    /// Not at all: the user cannot log in with a password.
    Disabled,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Password {
    Disabled,
    /// 32 characters in hex.
    Md5(String),
    Sha256 {
        hash: Vec<u8>,
        salt: Vec<u8>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an attribute of its own"
)]
pub(super) struct User {
    pub(super) password: Password,
    pub(super) superuser: bool,
    /// The system permission ALTER USER, which comes with a role.
    pub(super) alters_users: bool,
    /// Whether it may not even change its own password, as a cluster can be set.
    pub(super) fixed: bool,
    pub(super) createdb: bool,
    pub(super) sees_all: bool,
    pub(super) connection_limit: Option<u32>,
    pub(super) session_timeout: u32,
    pub(super) valid_until: Option<SystemTime>,
    /// As the catalogue writes them.
    pub(super) settings: BTreeMap<String, String>,
}

impl User {
    pub(super) fn new() -> Self {
        Self {
            password: Password::Disabled,
            superuser: false,
            alters_users: false,
            fixed: false,
            createdb: false,
            sees_all: false,
            connection_limit: None,
            session_timeout: 0,
            valid_until: None,
            settings: BTreeMap::new(),
        }
    }
}

/// What there is to have rights on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A database.
    Database,
    /// A schema.
    Schema,
    /// A schema of somewhere else.
    ExternalSchema,
    /// A table.
    Table,
    /// A view.
    View,
    /// A function; the last part of its path are the types of its arguments.
    Function,
    /// A procedure, likewise.
    Procedure,
    /// A language.
    Language,
    /// A model.
    Model,
    /// A datashare.
    Datashare,
}

/// A row of a system view, by its columns.
pub(super) type Row = BTreeMap<&'static str, String>;

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) users: BTreeMap<String, User>,
    pub(super) groups: BTreeMap<String, BTreeSet<String>>,
    pub(super) roles: BTreeSet<String>,
    /// Things by their path, and who owns them.
    pub(super) things: BTreeMap<(Kind, Vec<String>), String>,
    /// Rights by view and row, and whether they may be passed on.
    pub(super) rights: BTreeMap<(&'static str, Row), bool>,
    /// Grows with every change.
    pub(super) version: u64,
}

impl State {
    pub(super) fn user(&mut self, name: &str) -> Result<&mut User, Refusal> {
        self.users.get_mut(name).ok_or(Refusal::NO_OBJECT)
    }

    /// What the server keeps of the text behind `PASSWORD`.
    pub(super) fn stored(text: &str, username: &str) -> Result<Password, Refusal> {
        if let Some(hash) = text.strip_prefix("md5")
            && hash.len() == 32
        {
            let valid = hash.chars().all(|c| c.is_ascii_hexdigit());
            return valid
                .then(|| Password::Md5(hash.to_owned()))
                .ok_or(Refusal::BAD_VALUE);
        }
        let Some(password) = text.strip_prefix("sha256|") else {
            check(text)?;
            return Ok(Password::Md5(md5(&[text.as_bytes(), username.as_bytes()])));
        };
        check(password)?;
        let salt: Vec<u8> = (0..4)
            .flat_map(|_| random::number().to_be_bytes())
            .collect();
        let hash = sha256(&[password.as_bytes(), &salt]);
        Ok(Password::Sha256 { hash, salt })
    }

    /// Whether a login with this password would be let in, rights and limits apart.
    pub(super) fn takes(&self, username: &str, password: &str) -> bool {
        let Some(user) = self.users.get(username) else {
            return false;
        };
        let ends = user.valid_until;
        ends.is_none_or(|end| end > SystemTime::now())
            && match &user.password {
                Password::Disabled => false,
                Password::Md5(hash) => *hash == md5(&[password.as_bytes(), username.as_bytes()]),
                Password::Sha256 { hash, salt } => *hash == sha256(&[password.as_bytes(), salt]),
            }
    }
}

/// The rules of the page "CREATE USER".
fn check(password: &str) -> Result<(), Refusal> {
    let has = |kind: fn(&char) -> bool| password.chars().any(|c| kind(&c));
    let allowed = |c: char| ('!'..='~').contains(&c) && !"'\"\\/@".contains(c);
    let good = (8..=64).contains(&password.len())
        && password.chars().all(allowed)
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit);
    good.then_some(()).ok_or(Refusal::BAD_VALUE)
}

pub(super) fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    digest(&SHA256, &parts.concat()).as_ref().to_vec()
}

/// In hex.
pub(super) fn md5(parts: &[&[u8]]) -> String {
    let hash = postgres_protocol::password::md5(&parts.concat(), "");
    hash.trim_start_matches("md5").to_owned()
}

/// `YYYY-MM-DD HH:MM:SS+00` and back, by the algorithm of days in the proleptic Gregorian calendar.
pub(super) fn written(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}+00",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

pub(super) fn read_time(text: &str) -> Result<Option<SystemTime>, Refusal> {
    if text == "infinity" {
        return Ok(None);
    }
    let digits: Option<Vec<u64>> = text
        .strip_suffix("+00")
        .unwrap_or(text)
        .split(['-', ' ', ':'])
        .map(|part| part.parse().ok())
        .collect();
    let Some(&[year, month, day, hour, minute, second]) = digits.as_deref() else {
        return Err(Refusal::of("22007"));
    };
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    Ok(Some(UNIX_EPOCH + Duration::from_secs(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00+00"),
            (951_782_400, "2000-02-29 00:00:00+00"),
            (1_893_553_445, "2030-01-02 03:04:05+00"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(written(time), text);
            assert_eq!(read_time(text), Ok(Some(time)));
        }
        assert!(read_time("soon").is_err());
    }

    #[test]
    fn passwords_are_kept_as_the_documentation_says() {
        // The example of the page "CREATE USER".
        let kept = State::stored("md5153c434b4b77c89e6b94f12c5393af5b", "user1");
        assert_eq!(kept, Ok(Password::Md5(md5(&[b"ez", b"user1"]))));
        assert!(matches!(
            State::stored("sha256|Mypassword1", "u"),
            Ok(Password::Sha256 { .. })
        ));
        for bad in [
            "short1A",
            "nodigitsHere",
            "NOLOWER11",
            "noupper11",
            "Slash/111",
            "sha256|x",
        ] {
            assert_eq!(State::stored(bad, "u"), Err(Refusal::BAD_VALUE), "{bad}");
        }
    }
}
