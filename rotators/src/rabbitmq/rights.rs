//! What a user is and may do, as the management API tells it.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::password;

/// What the broker keeps of a user itself.
pub(super) struct Account {
    /// As the broker wrote them, to be sent back: a list, or from before 3.9 a text with commas.
    pub(super) raw_tags: Value,
    /// None: this broker tells them elsewhere.
    pub(super) limits: Option<BTreeMap<String, i64>>,
    hash: String,
    hashing: String,
}

impl Account {
    /// None: that is no user.
    pub(super) fn of(user: &Value) -> Option<Self> {
        let text = |key: &str| Some(user.get(key)?.as_str()?.to_owned());
        let limits = user.get("limits").filter(|limits| limits.is_object());
        Some(Self {
            raw_tags: user
                .get("tags")
                .filter(|it| it.is_array() || it.is_string())?
                .clone(),
            limits: limits.map(|limits| Rights::limits_of(Some(limits))),
            hash: text("password_hash")?,
            // From before 3.6 there was one.
            hashing: text("hashing_algorithm").unwrap_or_default(),
        })
    }

    /// Whether this is the password. None: not to be told.
    pub(super) fn has_password(&self, password: &SecretString) -> Option<bool> {
        password::matches(&self.hash, &self.hashing, password)
    }

    pub(super) fn tags(&self) -> BTreeSet<String> {
        let tags: Vec<&str> = match &self.raw_tags {
            Value::Array(tags) => tags.iter().filter_map(Value::as_str).collect(),
            Value::String(tags) => tags.split(',').map(str::trim).collect(),
            _ => Vec::new(),
        };
        let tags = tags.into_iter().filter(|tag| !tag.is_empty());
        tags.map(str::to_owned).collect()
    }
}

/// Regular expressions, in one virtual host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permission {
    configure: String,
    write: String,
    read: String,
}

impl Permission {
    pub(super) fn body(&self) -> Value {
        json!({"configure": self.configure, "write": self.write, "read": self.read})
    }
}

/// Regular expressions for routing keys, of one exchange in one virtual host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TopicPermission {
    write: String,
    read: String,
}

impl TopicPermission {
    pub(super) fn body(&self, exchange: &str) -> Value {
        json!({"exchange": exchange, "write": self.write, "read": self.read})
    }
}

/// All that a user may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rights {
    tags: BTreeSet<String>,
    /// By virtual host.
    pub(super) permissions: BTreeMap<String, Permission>,
    /// By virtual host and exchange.
    pub(super) topics: BTreeMap<(String, String), TopicPermission>,
    pub(super) limits: BTreeMap<String, i64>,
}

impl Rights {
    /// None: the lists hold something else.
    pub(super) fn of(
        tags: BTreeSet<String>,
        limits: BTreeMap<String, i64>,
        permissions: &[Value],
        topics: &[Value],
    ) -> Option<Self> {
        let permissions: Option<_> = permissions.iter().map(permission).collect();
        let topics: Option<_> = topics.iter().map(topic_permission).collect();
        Some(Self {
            tags,
            permissions: permissions?,
            topics: topics?,
            limits,
        })
    }

    /// From an object of names and numbers.
    pub(super) fn limits_of(limits: Option<&Value>) -> BTreeMap<String, i64> {
        let none = Map::new();
        let limits = limits.and_then(Value::as_object).unwrap_or(&none);
        let limits = limits
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_i64()?)));
        limits.collect()
    }

    /// In which respect another user has other rights; tags come with the password.
    pub(super) fn difference(&self, other: &Self) -> Option<&'static str> {
        self.difference_but_tags(other)
            .or_else(|| (self.tags != other.tags).then_some("it has other tags"))
    }

    pub(super) fn difference_but_tags(&self, other: &Self) -> Option<&'static str> {
        if self.permissions != other.permissions {
            Some("it has other permissions")
        } else if self.topics != other.topics {
            Some("it has other topic permissions")
        } else if self.limits != other.limits {
            Some("it has other limits")
        } else {
            None
        }
    }

    /// Virtual hosts with topic permissions of which the other has none.
    pub(super) fn topics_beyond(&self, model: &Self) -> BTreeSet<&str> {
        let beyond = self
            .topics
            .keys()
            .filter(|at| !model.topics.contains_key(*at));
        beyond.map(|(vhost, _)| vhost.as_str()).collect()
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    Some(value.get(key)?.as_str()?.to_owned())
}

fn permission(value: &Value) -> Option<(String, Permission)> {
    let permission = Permission {
        configure: text(value, "configure")?,
        write: text(value, "write")?,
        read: text(value, "read")?,
    };
    Some((text(value, "vhost")?, permission))
}

fn topic_permission(value: &Value) -> Option<((String, String), TopicPermission)> {
    let permission = TopicPermission {
        write: text(value, "write")?,
        read: text(value, "read")?,
    };
    Some((
        (text(value, "vhost")?, text(value, "exchange")?),
        permission,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(permissions: &Value, topics: &Value) -> Option<Rights> {
        let list = |value: &Value| value.as_array().expect("a list").clone();
        Rights::of(
            BTreeSet::new(),
            BTreeMap::new(),
            &list(permissions),
            &list(topics),
        )
    }

    #[test]
    fn users_of_old_and_new_brokers_are_read() {
        for (tags, expected) in [
            (json!(["b", "a"]), vec!["a", "b"]),
            (json!("b, a"), vec!["a", "b"]),
            (json!(["a,b"]), vec!["a,b"]),
            (json!([]), vec![]),
            (json!(""), vec![]),
        ] {
            let user = json!({"name": "x", "tags": tags, "password_hash": "h"});
            let account = Account::of(&user).expect("a user");
            assert!(account.tags().iter().eq(expected), "{tags}");
            assert_eq!(account.raw_tags, tags);
            assert_eq!(account.limits, None);
            assert_eq!(account.has_password(&"p".into()), None, "no algorithm");
        }
        let limited = json!({"tags": [], "password_hash": "", "limits": {"max-channels": 3}});
        let limited = Account::of(&limited).expect("a user");
        assert_eq!(
            limited.limits,
            Some(BTreeMap::from([("max-channels".to_owned(), 3)]))
        );
        assert_eq!(limited.has_password(&"".into()), Some(false));
        for no_user in [
            json!([]),
            json!({"tags": []}),
            json!({"tags": 1, "password_hash": ""}),
        ] {
            assert!(Account::of(&no_user).is_none(), "{no_user}");
        }
    }

    #[test]
    fn what_differs_is_named() {
        let permission = json!([{"vhost": "/", "configure": "", "write": "a", "read": "b"}]);
        let topic = json!([{"vhost": "/", "exchange": "x", "write": "", "read": ""}]);
        let model = rights(&permission, &topic).expect("rights");
        assert_eq!(model.difference(&model), None);
        let other = rights(&json!([]), &topic).expect("rights");
        assert_eq!(model.difference(&other), Some("it has other permissions"));
        let other = rights(&permission, &json!([])).expect("rights");
        assert_eq!(
            model.difference(&other),
            Some("it has other topic permissions")
        );
        assert_eq!(model.topics_beyond(&other), BTreeSet::from(["/"]));
        assert_eq!(other.topics_beyond(&model), BTreeSet::new());
        let mut other = model.clone();
        other.limits.insert("max-channels".to_owned(), 1);
        assert_eq!(model.difference(&other), Some("it has other limits"));
        let mut other = model.clone();
        other.tags.insert("management".to_owned());
        assert_eq!(model.difference_but_tags(&other), None);
        assert_eq!(model.difference(&other), Some("it has other tags"));
        assert!(rights(&json!([{"vhost": "/"}]), &topic).is_none());
        assert!(rights(&permission, &json!([1])).is_none());
    }
}
