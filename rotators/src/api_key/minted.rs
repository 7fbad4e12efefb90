//! Making a credential with an id, and deleting one, at a provider that holds several.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::Patch;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;

use super::in_place::value_of;
use super::list::{Listed, Listing};
use super::places::Values;
use super::slots::{Slots, When};
use super::{ApiKey, ApiKeyCredential};
use crate::web::http::Reply;
use crate::web::refusal::code;

/// What the clocks of provider and function may differ by.
const CLOCKS_DIFFER: Duration = Duration::from_mins(1);

impl<R: SecretReader> ApiKey<R> {
    /// Makes room, removes what an earlier try left, and makes a credential.
    pub(super) async fn mint(
        &self,
        slots: &Slots,
        current: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<Patch, RotatorError> {
        let names = self.settings.names;
        let ready = self.make_room(slots, current, cx).await;
        let id = ready.map_err(RotatorError::having_changed_nothing)?;
        let values = Values {
            current: Some(current),
            ..Values::default()
        };
        let reply = self.send(&slots.create, values, cx).await?;
        if reply.status.is_client_error() && !slots.success.is_met(&reply) {
            let fault = self.not_made(slots, &reply, current, cx).await;
            return Err(match reply.status {
                StatusCode::REQUEST_TIMEOUT => fault,
                _ => fault.having_changed_nothing(),
            });
        }
        let value = value_of(&slots.create, &reply, &slots.success, &slots.value)?;
        let new_id = value_of(&slots.create, &reply, &slots.success, &slots.id)?;
        if current.has(names.value, &value) || current.has(names.id, &new_id) {
            return Err(RotatorError::misconfigured(format!(
                "{} answers with the current credential instead of a new one; correct `create`",
                slots.create.peer()
            )));
        }
        if let Some(delete) = &slots.delete {
            // What could not be named in the URL must not be stored: it could never be deleted.
            delete.request.is_addressable(&new_id)?;
        }
        let patch = Patch::key(names.value, value).and(names.id, new_id);
        Ok(match id {
            Some(id) => patch.and(names.previous, id),
            None => patch,
        })
    }

    /// Deletes what is not needed any more, and gives the id of the current credential.
    async fn make_room(
        &self,
        slots: &Slots,
        current: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<Option<SecretString>, RotatorError> {
        let names = self.settings.names;
        current.required(names.value)?;
        let id = match slots.when {
            When::Never => current.text(names.id),
            // Else it could never be deleted, and nothing is to be made that cannot be cleaned up after.
            _ => Some(current.required(names.id)?),
        };
        if let (When::NextRotation, Some(previous)) = (slots.when, current.text(names.previous))
            && !current.has(names.id, &previous)
        {
            self.delete(slots, &previous, current, cx).await?;
        }
        if let (Some(list), Some(since)) = (&slots.list, cx.tried_since()) {
            for orphan in self.orphans(list, since, current, cx).await? {
                tracing::warn!(
                    secret = %cx.secret(),
                    "deleting a credential that an earlier try made and did not store"
                );
                self.delete(slots, &orphan, current, cx).await?;
            }
        }
        Ok(id)
    }

    /// What earlier tries made, the first of which began then.
    async fn orphans(
        &self,
        list: &Listing,
        since: SystemTime,
        current: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<Vec<SecretString>, RotatorError> {
        if list.name.is_some() {
            return self.named(list, current, cx).await;
        }
        let strangers = self.strangers(list, current, cx).await?;
        let earliest = since.checked_sub(CLOCKS_DIFFER).unwrap_or(since);
        let new = |one: &Listed| one.created.is_none_or(|created| created >= earliest);
        let new: Vec<_> = strangers.into_iter().filter(new).collect();
        match new.as_slice() {
            [] => Ok(Vec::new()),
            // Each try deletes what the one before it left.
            [one] if one.created.is_some() => Ok(vec![one.id.clone()]),
            several => Err(RotatorError::refused(format!(
                "an earlier try may have made a credential and not stored it, and which one cannot be told; \
                 delete at the provider what is not in use of those that this secret does not name: {}",
                shown(several)
            ))),
        }
    }

    /// What was named after this version.
    async fn named(
        &self,
        list: &Listing,
        current: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<Vec<SecretString>, RotatorError> {
        let strangers = self.strangers(list, current, cx).await?;
        let version = cx.version().as_str();
        let ours = strangers
            .into_iter()
            .filter(|one| one.is_named_after(version));
        Ok(ours.map(|one| one.id).collect())
    }

    /// The credentials that are neither the current one nor the one before.
    async fn strangers(
        &self,
        list: &Listing,
        current: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<Vec<Listed>, RotatorError> {
        let names = self.settings.names;
        let values = Values {
            current: Some(current),
            ..Values::default()
        };
        let reply = self.send(&list.request, values, cx).await?;
        if !list.success.is_met(&reply) {
            return Err(list.request.refusal(&reply));
        }
        let mut items = list.items(&reply).ok_or_else(|| {
            RotatorError::misconfigured(format!(
                "{} does not answer with a list of credentials with ids; correct `list`",
                list.request.peer()
            ))
            .with_code(reply.status.as_str())
        })?;
        let own = [current.text(names.id), current.text(names.previous)];
        items.retain(|item| !own.iter().any(|own| item.is(own.as_ref())));
        Ok(items)
    }

    /// Why no credential was made; where there may be no room, which ones take it.
    async fn not_made(
        &self,
        slots: &Slots,
        reply: &Reply,
        current: &ApiKeyCredential,
        cx: &Context,
    ) -> RotatorError {
        let refusal = slots.create.refusal(reply);
        let Some(list) = &slots.list else {
            return refusal;
        };
        if matches!(reply.status.as_u16(), 401 | 404 | 405 | 408 | 429) {
            return refusal;
        }
        let Ok(strangers) = self.strangers(list, current, cx).await else {
            return refusal;
        };
        if strangers.is_empty() {
            return refusal;
        }
        RotatorError::refused(format!(
            "{} makes no credential; if there is no room, delete at the provider what is not in use of those \
             that this secret does not name: {}",
            slots.create.peer(),
            shown(&strangers)
        ))
        .with_code(code(reply))
    }

    /// Deletes a credential; one that is gone already is a success.
    async fn delete(
        &self,
        slots: &Slots,
        id: &SecretString,
        login: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let Some(delete) = &slots.delete else {
            return Ok(());
        };
        let values = Values {
            current: Some(login),
            retired: Some(id),
            ..Values::default()
        };
        let reply = self.send(&delete.request, values, cx).await?;
        if delete.success.is_met(&reply) || delete.gone.contains(&reply.status.as_u16()) {
            return Ok(());
        }
        Err(delete.request.refusal(&reply))
    }

    /// Deletes what no label names any more.
    pub(super) async fn forget(
        &self,
        slots: &Slots,
        retired: &ApiKeyCredential,
        kept: &[&ApiKeyCredential],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let key = self.settings.names.id;
        let (Some(id), Some(login)) = (retired.text(key), kept.last()) else {
            tracing::warn!(
                secret = %cx.secret(),
                key,
                "a version from before the rotations holds no id, so its credential is not deleted; delete it \
                 at the provider"
            );
            return Ok(());
        };
        if kept.iter().any(|kept| kept.has(key, &id)) {
            return Ok(());
        }
        self.delete(slots, &id, login, cx).await
    }

    /// Deletes a pending credential that the provider refuses, and what else was made for this version:
    /// the next rotation starts afresh.
    pub(super) async fn give_up(
        &self,
        slots: &Slots,
        login: &ApiKeyCredential,
        pending: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let key = self.settings.names.id;
        let id = pending.text(key).filter(|id| !login.has(key, id));
        let mut ids: Vec<_> = id.into_iter().collect();
        if let Some(list) = slots.list.as_ref().filter(|list| list.name.is_some()) {
            ids.extend(self.named(list, login, cx).await?);
        }
        for id in &ids {
            self.delete(slots, id, login, cx).await?;
        }
        Ok(())
    }
}

/// Ids as an error may name them: short and plain, else they may be something else.
fn shown(listed: &[Listed]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let shown = listed.iter().map(|one| match one.id.expose_secret() {
        id if id.len() <= 64 && id.bytes().all(plain) => format!("`{id}`"),
        _ => "one whose id is too odd to be shown".to_owned(),
    });
    shown.collect::<Vec<_>>().join(", ")
}
