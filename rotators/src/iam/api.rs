//! The five requests, each sent once.

use std::time::SystemTime;

use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_iam::types::StatusType;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::aws::{Connections, http_client};

use super::credential::AccessKey;
use super::fault::User;
use super::plan::Listed;
use super::settings::IamSettings;
use crate::aws::ask;

/// Sends requests for whoever signs them.
pub(super) struct Api {
    pub(super) settings: IamSettings,
}

/// Whose key it is.
pub(super) enum Caller {
    User(User),
    /// The key is not known, not active, or has another secret.
    Refused,
}

impl Api {
    /// IAM for the role of the function.
    pub(super) fn as_role(&self) -> Iam<'_> {
        let role = &self.settings.aws;
        let token = role.session_token.as_ref();
        let credentials = Credentials::new(
            &role.access_key_id,
            role.secret_access_key.expose_secret(),
            token.map(|token| token.expose_secret().to_owned()),
            None,
            "role",
        );
        self.iam(credentials, "the function's role")
    }

    /// IAM for whoever has this key.
    pub(super) fn as_holder_of(&self, key: &AccessKey, signer: &'static str) -> Iam<'_> {
        self.iam(credentials(key), signer)
    }

    fn iam(&self, credentials: Credentials, signer: &'static str) -> Iam<'_> {
        let mut config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.settings.aws.region.clone()))
            .credentials_provider(credentials)
            // A key that is made twice is one too many.
            .retry_config(RetryConfig::disabled())
            .http_client(http());
        let url = self.settings.iam_url.as_ref();
        config.set_endpoint_url(url.map(|url| url.as_str().to_owned()));
        Iam {
            api: self,
            client: aws_sdk_iam::Client::from_conf(config.build()),
            signer,
        }
    }

    /// Presents a key, which needs no right and changes nothing.
    pub(super) async fn caller(
        &self,
        key: &AccessKey,
        cx: &Context,
    ) -> Result<Caller, RotatorError> {
        const ACTION: &str = "sts:GetCallerIdentity";
        let mut config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.settings.aws.region.clone()))
            .credentials_provider(credentials(key))
            .retry_config(RetryConfig::disabled())
            .http_client(http());
        let url = self.settings.sts_url.as_ref();
        config.set_endpoint_url(url.map(|url| url.as_str().to_owned()));
        let client = aws_sdk_sts::Client::from_conf(config.build());
        let call = client.get_caller_identity().send();
        let reply = match ask(call, self.settings.timeout, cx).await {
            Err(failure) if failure.refuses_the_key() => return Ok(Caller::Refused),
            Err(failure) => {
                let holder = User {
                    name: format!("that has the key {}", key.id),
                    arn: None,
                };
                return Err(failure.into_error(ACTION, "the holder of the key", &holder));
            }
            Ok(reply) => reply,
        };
        let arn = reply.arn.unwrap_or_default();
        let Some(name) = user_in(&arn) else {
            return Err(RotatorError::misconfigured(format!(
                "the key {} is no IAM user's, and only those rotate; put the key of a user into the secret",
                key.id
            )));
        };
        Ok(Caller::User(User {
            name: name.to_owned(),
            arn: Some(arn),
        }))
    }
}

/// IAM, and who signs.
pub(super) struct Iam<'a> {
    api: &'a Api,
    client: aws_sdk_iam::Client,
    signer: &'static str,
}

impl Iam<'_> {
    pub(super) async fn list(
        &self,
        user: &User,
        cx: &Context,
    ) -> Result<Vec<Listed>, RotatorError> {
        let call = self.client.list_access_keys().user_name(&user.name).send();
        let reply = ask(call, self.api.settings.timeout, cx).await;
        let reply =
            reply.map_err(|failure| failure.into_error("iam:ListAccessKeys", self.signer, user))?;
        let keys = reply.access_key_metadata.into_iter();
        Ok(keys
            .map(|key| Listed {
                id: key.access_key_id.unwrap_or_default(),
                active: key.status == Some(StatusType::Active),
                created: key
                    .create_date
                    .and_then(|date| SystemTime::try_from(date).ok()),
            })
            .collect())
    }

    /// Whether anything was ever signed with it, as far as IAM knows.
    pub(super) async fn was_used(
        &self,
        id: &str,
        user: &User,
        cx: &Context,
    ) -> Result<bool, RotatorError> {
        let call = self.client.get_access_key_last_used().access_key_id(id);
        let reply = ask(call.send(), self.api.settings.timeout, cx).await;
        let reply = reply
            .map_err(|failure| failure.into_error("iam:GetAccessKeyLastUsed", self.signer, user))?;
        let last = reply.access_key_last_used;
        Ok(last.is_none_or(|last| last.last_used_date.is_some()))
    }

    /// "Already gone" is success.
    pub(super) async fn delete(
        &self,
        id: &str,
        user: &User,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let call = self.client.delete_access_key();
        let call = call.user_name(&user.name).access_key_id(id).send();
        match ask(call, self.api.settings.timeout, cx).await {
            Err(failure) if !failure.is_gone() => {
                Err(failure.into_error("iam:DeleteAccessKey", self.signer, user))
            }
            _ => Ok(()),
        }
    }

    /// Makes a key. An error may be one after which there is a key that nobody knows the secret of.
    pub(super) async fn create(
        &self,
        user: &User,
        cx: &Context,
    ) -> Result<AccessKey, RotatorError> {
        const ACTION: &str = "iam:CreateAccessKey";
        let call = self.client.create_access_key().user_name(&user.name).send();
        let reply = ask(call, self.api.settings.timeout, cx)
            .await
            .map_err(|failure| {
                let changed_nothing = failure.changed_nothing();
                let error = failure.into_error(ACTION, self.signer, user);
                if changed_nothing {
                    error.having_changed_nothing()
                } else {
                    error
                }
            })?;
        let made = reply
            .access_key
            .filter(|made| !made.access_key_id.is_empty() && !made.secret_access_key.is_empty());
        let made = made.ok_or_else(|| {
            RotatorError::unreachable(format!("the answer to {ACTION} holds no key; try again"))
        })?;
        Ok(AccessKey {
            id: made.access_key_id,
            secret: SecretString::from(made.secret_access_key),
        })
    }
}

/// It keeps no connections: one that is used again may make a request go out twice.
fn http() -> SharedHttpClient {
    http_client(Connections::OneARequest)
}

fn credentials(key: &AccessKey) -> Credentials {
    Credentials::new(
        &key.id,
        key.secret.expose_secret(),
        None,
        None,
        "access key",
    )
}

/// `app` of `arn:aws:iam::123456789012:user/team/app`; nothing for a role, the root user or a federated one.
fn user_in(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let is_arn = parts.next() == Some("arn");
    let service = parts.nth(1);
    let resource = parts.nth(2)?.strip_prefix("user/")?;
    let name = resource.rsplit('/').next()?;
    (is_arn && service == Some("iam") && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::user_in;

    #[test]
    fn only_iam_users_are_users() {
        for (arn, name) in [
            ("arn:aws:iam::123456789012:user/app", Some("app")),
            ("arn:aws-cn:iam::123456789012:user/a/b/app", Some("app")),
            ("arn:aws:iam::123456789012:root", None),
            ("arn:aws:iam::123456789012:user/", None),
            ("arn:aws:sts::123456789012:assumed-role/app/session", None),
            ("arn:aws:sts::123456789012:federated-user/app", None),
            ("", None),
        ] {
            assert_eq!(user_in(arn), name, "{arn}");
        }
    }
}
