//! What the provider knows, and what it does with a request.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{ADMIN, KeyCall, MANAGER, Manners};
use crate::http::{self, Answer};
use crate::random;
use crate::token_server::client::basic;

pub(super) struct Keys {
    manners: Manners,
    clock: Clock,
    by_id: BTreeMap<String, Key>,
    /// The one key, and the one before it where that works, too.
    one: Option<Key>,
    before: Option<Key>,
    /// By the header `Idempotency-Key`: the id.
    made_for: BTreeMap<String, String>,
    values: Vec<String>,
    made: usize,
    refused: usize,
    admin_revoked: bool,
}

/// The time of day.
pub(super) type Clock = Box<dyn Fn() -> SystemTime + Send>;

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) value: String,
    name: String,
    /// Unix time in seconds.
    created: u64,
    /// For how many requests it is still refused.
    unknown_for: usize,
}

impl Keys {
    pub(super) fn new(manners: Manners) -> Self {
        Self {
            manners,
            clock: Box::new(SystemTime::now),
            by_id: BTreeMap::new(),
            one: None,
            before: None,
            made_for: BTreeMap::new(),
            values: Vec::new(),
            made: 0,
            refused: 0,
            admin_revoked: false,
        }
    }

    fn new_key(&mut self, value: String, name: &str) -> Key {
        self.values.push(value.clone());
        let now = (self.clock)().duration_since(UNIX_EPOCH);
        Key {
            value,
            name: name.to_owned(),
            created: now.unwrap_or_default().as_secs(),
            unknown_for: self.manners.propagation,
        }
    }

    fn new_value(&mut self) -> String {
        self.made += 1;
        format!("sk-sentinel+/{:04}{:016x}", self.made, random::number())
    }

    pub(super) fn make(&mut self, name: &str) -> (String, Key) {
        let value = self.new_value();
        let key = self.new_key(value, name);
        let id = if self.manners.numeric_ids {
            (70_000 + self.made).to_string()
        } else {
            format!("key-{}", self.made)
        };
        self.by_id.insert(id.clone(), key.clone());
        (id, key)
    }

    pub(super) fn put(&mut self, value: &str) {
        let new = self.new_key(value.to_owned(), "");
        self.before = self.one.replace(new);
    }

    pub(super) fn delete(&mut self, id: &str) -> bool {
        self.by_id.remove(id).is_some()
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.by_id.keys().cloned().collect()
    }

    /// Without regard to propagation.
    fn working(&self) -> Vec<&Key> {
        let before = self.before.iter().filter(|_| self.manners.keeps_previous);
        self.by_id.values().chain(&self.one).chain(before).collect()
    }

    pub(super) fn serves(&self, value: &str) -> bool {
        self.working().iter().any(|key| key.value == value)
    }

    pub(super) fn live(&self) -> usize {
        let mut values: Vec<_> = self.working().iter().map(|key| &key.value).collect();
        values.dedup();
        values.len()
    }

    pub(super) fn refused(&self) -> usize {
        self.refused
    }

    pub(super) fn values(&self) -> Vec<String> {
        self.values.clone()
    }

    pub(super) fn use_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    pub(super) fn revoke_admin(&mut self, revoked: bool) {
        self.admin_revoked = revoked;
    }

    pub(super) fn set_propagation(&mut self, requests: usize) {
        self.manners.propagation = requests;
    }

    /// Whether a request with this value is served now. Each one that is not brings the day closer.
    fn admits(&mut self, value: &str) -> bool {
        if let Some(key) = self.by_id.values_mut().find(|key| key.value == value) {
            return key.waits();
        }
        let settling = self.one.as_ref().is_some_and(|key| key.unknown_for > 0);
        let keeps = self.manners.keeps_previous;
        match (&mut self.one, &self.before) {
            (Some(one), _) if one.value == value => one.waits(),
            (_, Some(before)) if before.value == value => settling || keeps,
            _ => false,
        }
    }

    pub(super) fn perform(&mut self, call: &KeyCall) -> Answer {
        let bearer = call.authorization.strip_prefix("Bearer ");
        let bearer = bearer.unwrap_or_default().to_owned();
        if call.request == "GET /me" {
            if self.admits(&bearer) {
                return answer(200, &json!({"account": {"id": 7}}));
            }
            self.refused += 1;
            return answer(401, &json!({"error": "invalid_token"}));
        }
        if call.request == "POST /token" {
            return self.grant(call);
        }
        let admin = bearer == ADMIN && !self.admin_revoked;
        if !admin && !self.admits(&bearer) {
            return answer(401, &json!({"error": "invalid_client", "hint": bearer}));
        }
        match call.request.split_once(' ') {
            Some(("POST", "/keys")) => self.create(call),
            Some(("GET", "/keys")) => self.list(),
            Some(("DELETE", path)) => match path.strip_prefix("/keys/") {
                Some(id) if self.delete(id) => answer(204, &Value::Null),
                _ => answer(404, &json!({"error": "not_found"})),
            },
            Some(("PUT", "/key")) => self.replace(call),
            Some(("POST", "/key/rotate")) => {
                let value = self.new_value();
                self.put(&value);
                answer(200, &json!({"secret": value}))
            }
            Some(("GET", "/key")) if self.manners.readable => {
                let value = self.one.as_ref().map(|key| &key.value);
                answer(200, &json!({"secret": value}))
            }
            _ => answer(404, &json!({"error": "not_found"})),
        }
    }

    fn grant(&mut self, call: &KeyCall) -> Answer {
        let client = basic(&call.authorization);
        let (id, secret) = client.unwrap_or_default();
        if (id.as_str(), secret.as_str()) == MANAGER {
            return answer(200, &json!({"access_token": ADMIN, "token_type": "Bearer"}));
        }
        if self.admits(&secret) {
            let token = format!("token-{:016x}", random::number());
            return answer(200, &json!({"access_token": token, "token_type": "Bearer"}));
        }
        self.refused += 1;
        answer(401, &json!({"error": "invalid_client"}))
    }

    fn shown(&self, id: &str, key: &Key) -> Value {
        let id = match id.parse::<u64>() {
            Ok(number) => json!(number),
            Err(_) => json!(id),
        };
        let mut shown = json!({"id": id, "created": key.created});
        if self.manners.names {
            shown["name"] = json!(key.name);
        }
        shown
    }

    fn create(&mut self, call: &KeyCall) -> Answer {
        if self.manners.idempotent
            && let Some(id) = self.made_for.get(&call.idempotency_key)
            && let Some(key) = self.by_id.get(id)
        {
            let mut shown = self.shown(id, key);
            shown["secret"] = json!(key.value);
            return answer(200, &json!({"key": shown}));
        }
        if self.by_id.len() >= self.manners.slots {
            return answer(409, &json!({"error": "too_many_keys"}));
        }
        let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        let (id, key) = self.make(body["name"].as_str().unwrap_or_default());
        self.made_for
            .insert(call.idempotency_key.clone(), id.clone());
        let mut shown = self.shown(&id, &key);
        shown["secret"] = json!(key.value);
        answer(201, &json!({"key": shown}))
    }

    fn list(&self) -> Answer {
        let keys = self.by_id.iter().map(|(id, key)| self.shown(id, key));
        answer(200, &json!({"keys": keys.collect::<Vec<_>>()}))
    }

    fn replace(&mut self, call: &KeyCall) -> Answer {
        let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        match body["value"].as_str() {
            Some(value) if value.starts_with("sk-") => {
                self.put(value);
                answer(200, &json!({"ok": true}))
            }
            _ => answer(422, &json!({"error": "weak_value"})),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("manners", &self.manners)
            .field("keys", &self.by_id)
            .finish_non_exhaustive()
    }
}

impl Key {
    fn waits(&mut self) -> bool {
        let known = self.unknown_for == 0;
        self.unknown_for = self.unknown_for.saturating_sub(1);
        known
    }
}

fn answer(status: u16, body: &Value) -> Answer {
    let status = StatusCode::from_u16(status).expect("a valid HTTP status");
    http::answer(status, "application/json", body.to_string())
}
