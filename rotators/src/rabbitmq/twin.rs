//! The making of the second user: everything first, the password last.
//!
//! So a user that is half made never passes for a whole one: until the last request nobody knows a password
//! of it, and what it stores is compared with the secret before any login.

use secrets_core::rotator::RotatorError;

use super::credential::Login;
use super::management::Management;
use super::password;
use super::rights::{Account, Rights};
use crate::database::pair::Partner;
use crate::database::turns::Readiness;

/// The admin at work.
pub(super) struct Twin<'s> {
    pub(super) api: &'s Management<'s>,
    /// The user whose rights are the measure.
    pub(super) model: &'s Partner,
    pub(super) wanted: &'s Login,
}

impl Twin<'_> {
    /// Makes the second user, or brings it into line, and then sets its password.
    pub(super) async fn make(&self) -> Result<(), RotatorError> {
        self.check_admin()?;
        let model = self.model().await?;
        let measure = self.api.rights(&self.model.name, &model).await?;
        let own = match self.own().await? {
            Some(own) => own,
            None if self.model.named => return Err(self.missing()),
            None => self.created().await?,
        };
        let name = &self.wanted.username;
        let has = self.api.rights(name, &own).await?;
        if measure.difference_but_tags(&has).is_some() {
            self.align(&measure, &has).await?;
            let own = self.own().await?.ok_or_else(|| self.removed())?;
            let has = self.api.rights(name, &own).await?;
            if let Some(found) = measure.difference_but_tags(&has) {
                return Err(RotatorError::misconfigured(format!(
                    "the two users of the pair cannot be brought into line at {}: of the second, {found}; no \
                     password was changed; give both the same by hand, and rotate again",
                    self.api.name()
                )));
            }
        }
        let hash = password::hash(&self.wanted.password)?;
        self.api.set_password(name, &hash, &model.raw_tags).await
    }

    /// Whether the second user may do the same, and logs in with this password, as far as the admin sees.
    pub(super) async fn readiness(&self) -> Result<Readiness, RotatorError> {
        let Some(own) = self.own().await? else {
            return Ok(Readiness::Lacking("it does not exist"));
        };
        let known = own.has_password(&self.wanted.password);
        if known == Some(false) {
            return Ok(Readiness::Lacking("it has another password"));
        }
        let model = self.model().await?;
        let measure = self.api.rights(&self.model.name, &model).await?;
        let has = self.api.rights(&self.wanted.username, &own).await?;
        Ok(match measure.difference(&has) {
            Some(what) => Readiness::Lacking(what),
            None => Readiness::Ready {
                has_password: known == Some(true),
            },
        })
    }

    async fn model(&self) -> Result<Account, RotatorError> {
        let model = self.api.account(&self.model.name).await?;
        model.ok_or_else(|| {
            RotatorError::refused(format!(
                "{} has no user of the name of the other one of the pair, whose rights are the measure; create \
                 it again",
                self.api.name()
            ))
            .with_code("404")
        })
    }

    async fn own(&self) -> Result<Option<Account>, RotatorError> {
        self.api.account(&self.wanted.username).await
    }

    async fn created(&self) -> Result<Account, RotatorError> {
        self.api.create(&self.wanted.username).await?;
        self.own().await?.ok_or_else(|| self.removed())
    }

    /// An admin that is one of the two would change itself.
    fn check_admin(&self) -> Result<(), RotatorError> {
        if [&self.model.name, &self.wanted.username].contains(&&self.api.admin().to_owned()) {
            return Err(RotatorError::misconfigured(
                "the admin is one of the two users that take turns; let `masterarn` name another user",
            ));
        }
        Ok(())
    }

    /// One pass over all that differs: what is missing is given, what is too much is taken away.
    async fn align(&self, model: &Rights, own: &Rights) -> Result<(), RotatorError> {
        let (api, name) = (self.api, &self.wanted.username);
        for (vhost, permission) in &model.permissions {
            if own.permissions.get(vhost) != Some(permission) {
                api.permit(name, vhost, Some(permission)).await?;
            }
        }
        for vhost in own.permissions.keys() {
            if !model.permissions.contains_key(vhost) {
                api.permit(name, vhost, None).await?;
            }
        }
        let cleared = own.topics_beyond(model);
        for vhost in &cleared {
            api.clear_topics(name, vhost).await?;
        }
        for (at @ (vhost, exchange), permission) in &model.topics {
            if cleared.contains(vhost.as_str()) || own.topics.get(at) != Some(permission) {
                api.permit_topics(name, (vhost, exchange), permission)
                    .await?;
            }
        }
        for (limit, value) in &model.limits {
            if own.limits.get(limit) != Some(value) {
                api.limit(name, limit, Some(*value)).await?;
            }
        }
        for limit in own.limits.keys() {
            if !model.limits.contains_key(limit) {
                api.limit(name, limit, None).await?;
            }
        }
        Ok(())
    }

    /// Users that the secret names belong to who named them.
    fn missing(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "{} has no user of the second name in `usernames`; create it, with any password; nothing was \
             changed",
            self.api.name()
        ))
    }

    fn removed(&self) -> RotatorError {
        RotatorError::unreachable(format!(
            "somebody else removed the second user at {} at this moment; try again later",
            self.api.name()
        ))
        .with_code("404")
    }
}
