//! What IAM keeps, and what it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::Request;

use super::signature::Signed;
use crate::http::Answer;
use crate::query::{error, field, result};
use crate::random;

const ACCOUNT: &str = "123456789012";

/// Id and secret of the temporary key of the role that manages all users.
pub(super) const ROLE: (&str, &str) = ("ASIAROLEROLEROLEROLE", "sentinel/role+secret");

#[derive(Default)]
pub(super) struct State {
    /// What keys are dated by, where it is not the time of day.
    pub(super) clock: Option<Box<dyn Fn() -> SystemTime + Send>>,
    pub(super) users: BTreeMap<String, User>,
    /// Actions that nobody may do.
    pub(super) denied: BTreeSet<String>,
    /// How often a key that is made from now on is refused before it is known everywhere.
    pub(super) refusals: usize,
    /// Requests with a wrong key.
    pub(super) refused: usize,
    /// All secrets of keys that there ever were.
    pub(super) secrets: Vec<String>,
    made: usize,
}

#[derive(Debug, Default)]
pub(super) struct User {
    /// Whether it may manage all users, itself among them.
    pub(super) manages: bool,
    pub(super) keys: Vec<Key>,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) active: bool,
    pub(super) created: SystemTime,
    pub(super) used: Option<SystemTime>,
    refusals: usize,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("users", &self.users)
            .finish_non_exhaustive()
    }
}

impl State {
    /// What the request is answered with, once it is carried out.
    pub(super) fn perform(&mut self, action: &str, request: &Request<Bytes>) -> Answer {
        let form = String::from_utf8_lossy(request.body()).into_owned();
        let service = if action == "GetCallerIdentity" {
            "sts"
        } else {
            "iam"
        };
        let caller = match self.authenticate(service, request) {
            Ok(caller) => caller,
            Err(code) => {
                self.refused += 1;
                return error(403, code, "not your key");
            }
        };
        if action == "GetCallerIdentity" {
            return identity(caller.as_deref());
        }
        let allowed = match &caller {
            None => true,
            Some(user) => self.users.get(user).is_some_and(|user| user.manages),
        };
        if !allowed || self.denied.contains(action) {
            return error(403, "AccessDenied", "User is not authorized");
        }
        if action == "GetAccessKeyLastUsed" {
            return self.last_used(&field(&form, "AccessKeyId").unwrap_or_default());
        }
        let name = field(&form, "UserName").or(caller).unwrap_or_default();
        if !self.users.contains_key(&name) {
            return error(404, "NoSuchEntity", "no such user");
        }
        match action {
            "ListAccessKeys" => self.list(&name),
            "CreateAccessKey" => self.create(&name),
            "DeleteAccessKey" => {
                self.delete(&name, &field(&form, "AccessKeyId").unwrap_or_default())
            }
            _ => error(400, "InvalidAction", "unknown"),
        }
    }

    /// The name of the user that has signed, nothing for the role, or the code of the refusal.
    fn authenticate(
        &mut self,
        service: &str,
        request: &Request<Bytes>,
    ) -> Result<Option<String>, &'static str> {
        let signed = Signed::of(request).ok_or("MissingAuthenticationToken")?;
        if signed.service != service {
            return Err("SignatureDoesNotMatch");
        }
        if signed.key_id == ROLE.0 {
            return if signed.is_of(ROLE.1, request) {
                Ok(None)
            } else {
                Err("SignatureDoesNotMatch")
            };
        }
        for (name, user) in &mut self.users {
            let Some(key) = user.keys.iter_mut().find(|key| key.id == signed.key_id) else {
                continue;
            };
            if !key.active {
                break;
            }
            if key.refusals > 0 {
                key.refusals -= 1;
                break;
            }
            if !signed.is_of(&key.secret, request) {
                return Err("SignatureDoesNotMatch");
            }
            key.used = Some(SystemTime::now());
            return Ok(Some(name.clone()));
        }
        Err("InvalidClientTokenId")
    }

    pub(super) fn new_key(&mut self, user: &str) -> Key {
        self.made += 1;
        let key = Key {
            id: format!("AKIA{:016X}", self.made),
            secret: format!(
                "sentinel{:016x}/{:016x}",
                random::number(),
                random::number()
            ),
            active: true,
            created: self
                .clock
                .as_ref()
                .map_or_else(SystemTime::now, |now| now()),
            used: None,
            refusals: self.refusals,
        };
        self.secrets.push(key.secret.clone());
        let user = self.users.entry(user.to_owned()).or_default();
        user.keys.push(key.clone());
        key
    }

    fn create(&mut self, user: &str) -> Answer {
        if self.users[user].keys.len() >= 2 {
            return error(409, "LimitExceeded", "AccessKeysPerUser: 2");
        }
        let key = self.new_key(user);
        result(
            "CreateAccessKey",
            &format!(
                "<AccessKey>{}<SecretAccessKey>{}</SecretAccessKey></AccessKey>",
                metadata(user, &key),
                key.secret
            ),
        )
    }

    fn list(&self, user: &str) -> Answer {
        let mut members = String::new();
        for key in &self.users[user].keys {
            let metadata = metadata(user, key);
            members.extend(["<member>", &metadata, "</member>"]);
        }
        result(
            "ListAccessKeys",
            &format!(
                "<AccessKeyMetadata>{members}</AccessKeyMetadata><IsTruncated>false</IsTruncated>"
            ),
        )
    }

    fn delete(&mut self, user: &str, id: &str) -> Answer {
        let keys = &mut self.users.get_mut(user).expect("found before").keys;
        let before = keys.len();
        keys.retain(|key| key.id != id);
        if keys.len() == before {
            return error(404, "NoSuchEntity", "no such key");
        }
        result("DeleteAccessKey", "")
    }

    fn last_used(&self, id: &str) -> Answer {
        let mut users = self.users.iter();
        let found = users.find_map(|(name, user)| {
            let key = user.keys.iter().find(|key| key.id == id)?;
            Some((name, key))
        });
        let Some((name, key)) = found else {
            return error(404, "NoSuchEntity", "no such key");
        };
        let last = match key.used {
            None => "<ServiceName>N/A</ServiceName><Region>N/A</Region>".to_owned(),
            Some(used) => format!(
                "<LastUsedDate>{}</LastUsedDate><ServiceName>s3</ServiceName><Region>us-east-1</Region>",
                date(used)
            ),
        };
        result(
            "GetAccessKeyLastUsed",
            &format!("<UserName>{name}</UserName><AccessKeyLastUsed>{last}</AccessKeyLastUsed>"),
        )
    }
}

fn identity(user: Option<&str>) -> Answer {
    let arn = match user {
        Some(user) => format!("arn:aws:iam::{ACCOUNT}:user/team/{user}"),
        None => format!("arn:aws:sts::{ACCOUNT}:assumed-role/rotator/session"),
    };
    result(
        "GetCallerIdentity",
        &format!("<Arn>{arn}</Arn><UserId>ID</UserId><Account>{ACCOUNT}</Account>"),
    )
}

fn metadata(user: &str, key: &Key) -> String {
    format!(
        "<UserName>{user}</UserName><AccessKeyId>{}</AccessKeyId><Status>{}</Status>\
         <CreateDate>{}</CreateDate>",
        key.id,
        if key.active { "Active" } else { "Inactive" },
        date(key.created),
    )
}

/// ISO 8601, in whole seconds, as IAM writes dates.
fn date(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Counted from 0000-03-01, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 {
        (era * 400 + year, month + 3)
    } else {
        (era * 400 + year + 1, month - 9)
    };
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_leap_days() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
        ] {
            assert_eq!(date(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }
}
