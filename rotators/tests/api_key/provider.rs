//! The kinds of provider, each with the configuration that fits it.

use harness::key_server::{ADMIN, KeyServer, MANAGER, Manners};
use secrets_core::document::SecretDocument;
use secrets_core::store::memory::MemoryStore;
use serde_json::{Value, json};

pub(crate) const ADMIN_SECRET: &str = "app/administrator";

/// A kind of provider, and when old keys are deleted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Room for three keys with names; the old one is deleted when superseded.
    ThreeSlots,
    /// Room for two; the old one is deleted after the promotion, and each key manages all.
    TwoSlots,
    /// Room for two; the one before is deleted when the next rotation begins.
    TwoSlotsNext,
    /// Room for three keys without names, which tell when they were made.
    Dated,
    /// The same request gets the same key.
    Idempotent,
    /// Room for three keys that cannot be listed.
    Unlisted,
    /// Client secrets, in room for three; they are tested by minting, and managed with a token.
    ClientSecret,
    /// We choose the one key.
    Chosen,
    /// The same, and the value before it works, too.
    ChosenKept,
    /// The provider makes the one key, and it can be read.
    InPlace,
    /// The same, and it cannot be read.
    InPlaceUnread,
}

impl Kind {
    pub(crate) const ALL: [Self; 11] = [
        Self::ThreeSlots,
        Self::TwoSlots,
        Self::TwoSlotsNext,
        Self::Dated,
        Self::Idempotent,
        Self::Unlisted,
        Self::ClientSecret,
        Self::Chosen,
        Self::ChosenKept,
        Self::InPlace,
        Self::InPlaceUnread,
    ];

    pub(crate) fn has_slots(self) -> bool {
        !matches!(
            self,
            Self::Chosen | Self::ChosenKept | Self::InPlace | Self::InPlaceUnread
        )
    }

    /// Whether a try that was cut off may be followed by another.
    pub(crate) fn repeats(self) -> bool {
        !matches!(self, Self::Unlisted | Self::InPlaceUnread)
    }

    /// What the secret's key for the credential is called.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::ClientSecret => "client_secret",
            _ => "api_key",
        }
    }

    /// What the secret's key for its id is called.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::ClientSecret => "secret_id",
            _ => "key_id",
        }
    }

    pub(crate) async fn start(self) -> KeyServer {
        KeyServer::start(Manners {
            slots: match self {
                Self::TwoSlots | Self::TwoSlotsNext => 2,
                _ => 3,
            },
            names: self != Self::Dated,
            idempotent: self == Self::Idempotent,
            readable: self == Self::InPlace,
            keeps_previous: self == Self::ChosenKept,
            ..Manners::default()
        })
        .await
    }

    /// Makes the first key and puts the administrator's secret; gives the first value of the key's secret.
    pub(crate) fn populate(self, provider: &KeyServer, store: &MemoryStore) -> SecretDocument {
        let admin = json!({
            "api_token": ADMIN, "note": "sentinel-of-the-administrator",
            "client_id": MANAGER.0, "client_secret": MANAGER.1,
        });
        let admin = SecretDocument::from_text(&admin.to_string());
        let version = "first-version-of-the-administrator".into();
        store
            .put_current(&ADMIN_SECRET.into(), &version, &admin)
            .expect("a first value");
        self.first_secret(provider)
    }

    /// The value of a secret with a new key.
    pub(crate) fn first_secret(self, provider: &KeyServer) -> SecretDocument {
        let mut value = json!({"masterarn": ADMIN_SECRET, "account": 17, "ratio": 1.50});
        if self.has_slots() {
            let (id, key) = provider.make("made by hand");
            value[self.id()] = json!(id);
            value[self.key()] = json!(key);
            value["client_id"] = json!("app");
        } else {
            let key = format!("sk-sentinel-by-hand-{:04}", provider.values().len());
            provider.put(&key);
            value["api_key"] = json!(key);
        }
        SecretDocument::from_text(&value.to_string())
    }

    pub(crate) fn configuration(self, provider: &KeyServer) -> Value {
        let mut configuration = match self {
            Self::Chosen | Self::ChosenKept => json!({
                "keeps_previous": self == Self::ChosenKept,
                "generate": {"prefix": "sk-", "length": 30},
                "set": {
                    "url": provider.url("/key"),
                    "headers": {"Authorization": "Bearer {current.api_key}"},
                    "json": {"value": "{pending.api_key}"},
                },
            }),
            Self::InPlace | Self::InPlaceUnread => json!({
                "rotate": {
                    "url": provider.url("/key/rotate"),
                    "headers": {"Authorization": "Bearer {current.api_key}"},
                    "value": "/secret",
                },
            }),
            _ => self.slots(provider),
        };
        if self == Self::InPlace {
            configuration["read"] = json!({
                "url": provider.url("/key"),
                "headers": {"Authorization": "Bearer {admin.api_token}"},
                "value": "/secret",
            });
        }
        configuration["test"] = json!({
            "url": provider.url("/me"),
            "headers": {"Authorization": "Bearer {candidate.api_key}"},
            "accepted": {"present": ["/account"]},
        });
        if self == Self::ClientSecret {
            configuration["credential"] = json!("client_secret");
            configuration["test"] = json!({"mint": {"token_url": provider.url("/token")}});
            configuration["management_token"] = json!({"token_url": provider.url("/token")});
        }
        configuration
    }

    fn slots(self, provider: &KeyServer) -> Value {
        let authorization = match self {
            Self::TwoSlots => "Bearer {current.api_key}",
            Self::ClientSecret => "Bearer {management_token}",
            _ => "Bearer {admin.api_token}",
        };
        let headers = json!({"Authorization": authorization});
        let mut configuration = json!({
            "create": {
                "url": provider.url("/keys"),
                "headers": headers,
                "json": {"name": "rotated {version}"},
                "value": "/key/secret",
                "id": "/key/id",
            },
            "list": {
                "url": provider.url("/keys"),
                "headers": headers,
                "items": "/keys",
                "id": "/id",
                "name": "/name",
            },
            "delete": {
                "url": provider.url(&format!("/keys/{{retired.{}}}", self.id())),
                "headers": headers,
                "when": match self {
                    Self::TwoSlots => "after_promotion",
                    Self::TwoSlotsNext => "next_rotation",
                    _ => "when_superseded",
                },
            },
        });
        match self {
            Self::Dated => {
                configuration["list"]["name"] = Value::Null;
                configuration["list"]["created"] = json!("/created");
            }
            Self::Idempotent => {
                configuration["list"] = Value::Null;
                configuration["create"]["idempotent"] = json!(true);
                configuration["create"]["headers"]["Idempotency-Key"] = json!("{version}");
            }
            Self::Unlisted => configuration["list"] = Value::Null,
            _ => {}
        }
        configuration
    }
}
