//! One key after another, in two slots.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::event::SecretId;
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Repeat, Retirement, Rotates, Rotator, RotatorError,
    Verdict,
};
use secrets_core::store::{SecretReader, Version};

use super::api::{Api, Caller, Iam};
use super::credential::{AccessKey, IamCredential};
use super::fault::User;
use super::plan::{plan, suspects};
use super::settings::{IamSettings, ManagedBy, Retire};
use crate::propagation::Propagation;
use crate::second_secret::unread;

/// Rotates the access key of an IAM user.
///
/// The current key is never touched. Before the next one is made, the user's keys are listed: the previous one
/// is deleted, and nothing else, unless an earlier try has left a key that it could not store.
///
/// ```
/// use rotators::iam::{IamKey, IamSettings};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::aws::AwsSettings;
/// use secrets_core::store::memory::MemoryStore;
///
/// let role = AwsSettings {
///     region: "eu-west-1".into(),
///     access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
///     secret_access_key: "of the function's environment".into(),
///     session_token: Some("of the function's environment".into()),
///     endpoint: None,
/// };
/// let store = MemoryStore::new();
/// let rotation = Rotation::new(store.clone(), IamKey::new(store, IamSettings::new(role)));
/// ```
pub struct IamKey<R> {
    secrets: R,
    api: Api,
}

impl<R: SecretReader> IamKey<R> {
    /// A rotator with these settings; `secrets` is where the secrets of managing users are read.
    pub fn new(secrets: R, settings: IamSettings) -> Self {
        Self {
            secrets,
            api: Api { settings },
        }
    }

    /// IAM for whoever manages the keys; `own` is the key of the user itself.
    async fn manager(
        &self,
        master: Option<&SecretId>,
        own: &AccessKey,
    ) -> Result<Iam<'_>, RotatorError> {
        if let Some(master) = master {
            let key = self.master_key(master).await?;
            return Ok(self
                .api
                .as_holder_of(&key, "the managing user (`masterarn`)"));
        }
        Ok(match self.api.settings.managed_by {
            ManagedBy::Role => self.api.as_role(),
            ManagedBy::User => self.api.as_holder_of(own, "the user itself"),
        })
    }

    async fn master_key(&self, id: &SecretId) -> Result<AccessKey, RotatorError> {
        let read = self.secrets.get(id, &Version::CURRENT).await;
        let document = read
            .map_err(|fault| unread("the managing user's secret", fault))?
            .document;
        AccessKey::try_from(&document).map_err(|fault| {
            RotatorError::misconfigured(format!(
                "in the managing user's secret (`masterarn`) {fault}"
            ))
        })
    }

    /// Whose key it is; nothing where it is refused.
    ///
    /// # Errors
    /// Also where it is another user's than the secret says.
    async fn owner(
        &self,
        credential: &IamCredential,
        cx: &Context,
    ) -> Result<Option<User>, RotatorError> {
        let user = match self.api.caller(&credential.key, cx).await? {
            Caller::User(user) => user,
            Caller::Refused => return Ok(None),
        };
        match &credential.user_name {
            Some(name) if *name != user.name => Err(RotatorError::misconfigured(format!(
                "the key {} is that of {user}, and `user_name` is {name}; correct the secret",
                credential.key.id
            ))),
            _ => Ok(Some(user)),
        }
    }

    /// The user, also where its current key does not work any more.
    async fn user(
        &self,
        current: &IamCredential,
        cx: &Context,
    ) -> Result<(User, bool), RotatorError> {
        if let Some(user) = self.owner(current, cx).await? {
            return Ok((user, true));
        }
        let by_itself = current.master.is_none() && self.api.settings.managed_by == ManagedBy::User;
        match &current.user_name {
            Some(name) if !by_itself => Ok((
                User {
                    name: name.clone(),
                    arn: None,
                },
                false,
            )),
            Some(_) => Err(RotatorError::misconfigured(format!(
                "AWS refuses the current key {}, so the user cannot replace it; put a key that works into \
                 the secret, or let the role manage the keys",
                current.key.id
            ))),
            None => Err(RotatorError::misconfigured(format!(
                "AWS refuses the current key {}, so whose it is cannot be asked; add `user_name` to the \
                 secret",
                current.key.id
            ))),
        }
    }

    async fn make_room(
        &self,
        current: &IamCredential,
        cx: &Context,
    ) -> Result<Room<'_>, RotatorError> {
        let (user, works) = self.user(current, cx).await?;
        let iam = self.manager(current.master.as_ref(), &current.key).await?;
        let keys = iam.list(&user, cx).await?;
        let id = current.key.id.as_str();
        if works && !keys.iter().any(|key| key.id == id) {
            return Err(RotatorError::misconfigured(format!(
                "the key {id} works, and is not among those of {user} that the rotator is shown; let \
                 somebody of the user's account manage the keys"
            )));
        }
        let previous = current.previous.as_deref();
        let mut orphans = Vec::new();
        for suspect in suspects(&keys, id, previous, cx.tried_since()) {
            if !iam.was_used(suspect, &user, cx).await? {
                orphans.push(suspect);
            }
        }
        let plan = plan(&keys, id, previous, &orphans, &user.to_string())?;
        Ok(Room {
            iam,
            user,
            delete: plan.delete,
            previous: plan.previous,
        })
    }
}

/// What was found out before anything is changed.
struct Room<'a> {
    iam: Iam<'a>,
    user: User,
    delete: Vec<String>,
    previous: Option<String>,
}

impl<R: SecretReader> Rotator for IamKey<R> {
    type Credential = IamCredential;

    fn profile(&self) -> Profile {
        let keys = Rotates::Keys(&[
            "access_key_id",
            "secret_access_key",
            "previous_access_key_id",
        ]);
        let profile = Profile::new(keys, Overlap::UntilNextRotation).repeating(Repeat::Told);
        match self.api.settings.retire {
            Retire::NextRotation => profile.holding(Live { rest: 2, peak: 2 }),
            Retire::AfterPromotion => profile
                .retiring(Retirement::AfterPromotion)
                .holding(Live { rest: 1, peak: 2 }),
        }
    }

    async fn create(&self, current: &IamCredential, cx: &Context) -> Result<Patch, RotatorError> {
        // A deletion is repeated at will. So up to the making of the key nothing has changed that a repeat
        // would have to know.
        let room = self.make_room(current, cx).await;
        let room = room.map_err(RotatorError::having_changed_nothing)?;
        for id in &room.delete {
            let deleted = room.iam.delete(id, &room.user, cx).await;
            deleted.map_err(RotatorError::having_changed_nothing)?;
        }
        let made = room.iam.create(&room.user, cx).await?;
        let patch =
            Patch::key("access_key_id", made.id.into()).and("secret_access_key", made.secret);
        Ok(match room.previous {
            Some(previous) => patch.and("previous_access_key_id", previous.into()),
            None => patch,
        })
    }

    /// A new key is there, and not known everywhere yet: it is tried again until it is.
    async fn set(
        &self,
        login: Proven<'_, IamCredential>,
        pending: &IamCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let patience = self.api.settings.propagation.min(cx.remaining() * 3 / 4);
        if Propagation(patience)
            .settles(cx, || self.test(pending, cx))
            .await?
        {
            return Ok(());
        }
        self.why_refused(login.credential(), pending, cx).await
    }

    async fn test(&self, candidate: &IamCredential, cx: &Context) -> Result<Verdict, RotatorError> {
        Ok(match self.owner(candidate, cx).await? {
            Some(_) => Verdict::Accepted,
            None => Verdict::Rejected,
        })
    }

    async fn retire(
        &self,
        retired: &IamCredential,
        kept: &[&IamCredential],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let Some(login) = kept.last() else {
            return Ok(());
        };
        if kept.iter().any(|kept| kept.key.id == retired.key.id) {
            return Ok(());
        }
        let (user, _) = self.user(login, cx).await?;
        let iam = self.manager(login.master.as_ref(), &login.key).await?;
        iam.delete(&retired.key.id, &user, cx).await
    }
}

impl<R: SecretReader> IamKey<R> {
    /// What is the matter with a key that was refused all the time.
    async fn why_refused(
        &self,
        login: &IamCredential,
        pending: &IamCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let (user, _) = self.user(login, cx).await?;
        let iam = self.manager(login.master.as_ref(), &login.key).await?;
        let keys = iam.list(&user, cx).await?;
        let id = &pending.key.id;
        Err(match keys.iter().find(|key| key.id == *id) {
            None => RotatorError::rejected_by_target(format!(
                "the new key {id} was deleted after it was made; rotate again"
            )),
            Some(key) if key.active => RotatorError::unreachable(format!(
                "AWS lists the new key {id} and refuses it still; the rotation goes on with it when it is \
                 tried again. If it is refused for hours, delete it, then rotate again"
            )),
            Some(_) => RotatorError::refused(format!(
                "somebody made the new key {id} inactive; activate it, or delete it, then rotate again"
            )),
        })
    }
}

impl<R> fmt::Debug for IamKey<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IamKey")
            .field("settings", &self.api.settings)
            .finish_non_exhaustive()
    }
}
