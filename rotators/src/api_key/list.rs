//! What credentials the provider holds, to find those that no version of the secret names.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::places::{Scope, Source};
use super::request::{Request, Title};
use super::settings::{Names, success};
use crate::configuration::Fields;
use crate::oauth::token_client::moment;
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
            created: at(&self.created)
                .and_then(moment::seconds)
                .and_then(|since| UNIX_EPOCH.checked_add(Duration::from_secs(since))),
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
