//! Secrets Manager itself: nothing else names the SDK.

mod batch;
mod claim;
mod error;
mod http;
mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::primitives::{Blob, DateTime};
use aws_sdk_secretsmanager::types::Tag;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use self::error::error;
pub use http::{Connections, http_client};
pub use settings::{AwsSettings, Timeouts};

use super::error::UNREADABLE;
use super::{
    Label, SecretReader, SecretState, SecretStore, SecretVersion, StoreError, StoreErrorKind,
    Version,
};
use crate::document::{Exposed, SecretDocument};
use crate::event::{RotationToken, SecretId, VersionId};

/// A store over the AWS SDK.
#[derive(Clone)]
pub struct AwsStore(Arc<LazyLock<Client, Make>>);

/// The client is made for the first call: a function asks for its first event before that.
type Make = Box<dyn FnOnce() -> Client + Send>;

/// The client's own Debug is hundreds of lines, and what it shows is not ours to promise.
impl fmt::Debug for AwsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsStore")
    }
}

impl AwsStore {
    /// A store over a client that the application has set up.
    ///
    /// See that it has time-outs: the SDK's own default waits without end for an answer.
    pub fn new(client: Client) -> Self {
        Self::made_by(move || client)
    }

    fn made_by(make: impl FnOnce() -> Client + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(make))))
    }

    /// A store with the time-outs of [`Timeouts::default`] and three tries a call.
    ///
    /// Three tries are safe: every call is idempotent, or a compare-and-swap.
    pub fn connect(settings: &AwsSettings) -> Self {
        Self::connect_with(settings, &Timeouts::default())
    }

    /// A store with other time-outs and three tries a call.
    pub fn connect_with(settings: &AwsSettings, timeouts: &Timeouts) -> Self {
        let exposed = |secret: &SecretString| secret.expose_secret().to_owned();
        let credentials = Credentials::new(
            &settings.access_key_id,
            exposed(&settings.secret_access_key),
            settings.session_token.as_ref().map(exposed),
            None,
            "settings",
        );
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(timeouts.pause);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(timeouts.connect)
            .operation_attempt_timeout(timeouts.attempt)
            .operation_timeout(timeouts.call)
            .build();
        let mut config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .credentials_provider(credentials)
            .timeout_config(timeouts)
            .retry_config(retries)
            .http_client(http_client(Connections::Kept));
        config.set_endpoint_url(settings.endpoint.clone());
        Self::made_by(|| Client::from_conf(config.build()))
    }
}

impl SecretReader for AwsStore {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        const GET: &str = "GetSecretValue";
        let call = self.0.get_secret_value().secret_id(id.as_str());
        let call = match version {
            Version::Labelled(label) => call.version_stage(label.as_str()),
            Version::Id(version) => call.version_id(version.as_str()),
            Version::Exactly(version, label) => call
                .version_id(version.as_str())
                .version_stage(label.as_str()),
        };
        let reply = call.send().await.map_err(|fault| error(GET, id, &fault))?;
        let value = Value {
            text: reply.secret_string.map(Zeroizing::new),
            bytes: reply.secret_binary,
            version: reply.version_id,
            labels: reply.version_stages,
            created: reply.created_date,
            arn: reply.arn,
        };
        value.read().ok_or_else(|| {
            StoreError::new(StoreErrorKind::Unavailable, GET, id).with_code(Some(UNREADABLE.into()))
        })
    }

    fn batch_limit(&self) -> usize {
        batch::LIMIT
    }

    async fn get_batch(
        &self,
        ids: &[SecretId],
    ) -> Result<Vec<Result<SecretVersion, StoreError>>, StoreError> {
        batch::get(self, ids).await
    }

    async fn tags(&self, id: &SecretId) -> Result<BTreeMap<String, String>, StoreError> {
        let tags = self.describe_secret(id).await?.tags.unwrap_or_default();
        let whole = |tag: Tag| Some((tag.key?, tag.value?));
        Ok(tags.into_iter().filter_map(whole).collect())
    }
}

/// What the service says of one version, in the fields that all its answers share.
struct Value {
    text: Option<Zeroizing<String>>,
    bytes: Option<Blob>,
    version: Option<String>,
    labels: Option<Vec<String>>,
    created: Option<DateTime>,
    arn: Option<String>,
}

impl Value {
    fn read(self) -> Option<SecretVersion> {
        let document = match (self.text, self.bytes) {
            (Some(text), _) => SecretDocument::from_text(&text),
            (None, Some(bytes)) => SecretDocument::from_bytes(bytes.into_inner()),
            (None, None) => return None,
        };
        let labels = self.labels.unwrap_or_default();
        Some(SecretVersion {
            id: self.version?.into(),
            labels: labels
                .iter()
                .map(|label| Label::from(label.as_str()))
                .collect(),
            created: self.created.and_then(time),
            arn: self.arn.map(SecretId::from),
            document,
        })
    }
}

impl SecretStore for AwsStore {
    async fn describe(&self, id: &SecretId) -> Result<SecretState, StoreError> {
        let reply = self.describe_secret(id).await?;
        let versions = reply.version_ids_to_stages.unwrap_or_default();
        Ok(SecretState {
            rotation_enabled: reply.rotation_enabled,
            rotated_by: reply.rotation_lambda_arn,
            deleted: reply.deleted_date.is_some(),
            last_rotated: reply.last_rotated_date.and_then(time),
            next_rotation: reply.next_rotation_date.and_then(time),
            versions: versions
                .into_iter()
                .map(|(version, labels)| {
                    let labels = labels.iter().map(|label| Label::from(label.as_str()));
                    (VersionId::from(version), labels.collect())
                })
                .collect(),
        })
    }

    async fn put_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
        token: Option<&RotationToken>,
    ) -> Result<(), StoreError> {
        let call = self
            .0
            .put_secret_value()
            .secret_id(id.as_str())
            .client_request_token(version.as_str())
            .version_stages(Label::Pending.as_str())
            .set_rotation_token(token.map(|token| token.expose().to_owned()));
        let call = match value.expose() {
            Exposed::Text(text) => call.secret_string(text.expose_secret()),
            Exposed::Binary(bytes) => call.secret_binary(Blob::new(bytes.expose_secret())),
        };
        match call.send().await {
            Ok(_) => Ok(()),
            Err(fault) => Err(error("PutSecretValue", id, &fault)),
        }
    }

    async fn promote(
        &self,
        id: &SecretId,
        from: &VersionId,
        to: &VersionId,
    ) -> Result<(), StoreError> {
        self.move_label(id, &Label::Current, Some(from), Some(to))
            .await
    }

    async fn discard_pending(&self, id: &SecretId, version: &VersionId) -> Result<(), StoreError> {
        self.move_label(id, &Label::Pending, Some(version), None)
            .await
    }

    async fn mark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        let moved = self.move_label(id, label, None, Some(version)).await;
        self.unless_done(id, moved, |state| state.holds(version, label))
            .await
    }

    async fn unmark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        let moved = self.move_label(id, label, Some(version), None).await;
        self.unless_done(id, moved, |state| !state.holds(version, label))
            .await
    }
}

impl AwsStore {
    async fn describe_secret(&self, id: &SecretId) -> Result<DescribeSecretOutput, StoreError> {
        let call = self.0.describe_secret().secret_id(id.as_str());
        let reply = call.send().await;
        reply.map_err(|fault| error("DescribeSecret", id, &fault))
    }

    async fn move_label(
        &self,
        id: &SecretId,
        label: &Label,
        from: Option<&VersionId>,
        to: Option<&VersionId>,
    ) -> Result<(), StoreError> {
        let as_given = |version: &VersionId| version.as_str().to_owned();
        let reply = self
            .0
            .update_secret_version_stage()
            .secret_id(id.as_str())
            .version_stage(label.as_str())
            .set_remove_from_version_id(from.map(as_given))
            .set_move_to_version_id(to.map(as_given))
            .send()
            .await;
        match reply {
            Ok(_) => Ok(()),
            Err(fault) => {
                let mut fault = error("UpdateSecretVersionStage", id, &fault);
                // The service's word for "the label sits elsewhere".
                if fault.code.as_deref() == Some("InvalidParameterException") {
                    fault.kind = StoreErrorKind::Conflict;
                }
                Err(fault)
            }
        }
    }

    /// The API reference says that a move fails where the label sits on *another* version. It does not say
    /// what is answered where there is nothing to do: to a repeat, such as the SDK's own when a reply is
    /// lost. So a refusal is a success where the labels are as they were to become.
    async fn unless_done(
        &self,
        id: &SecretId,
        moved: Result<(), StoreError>,
        done: impl Fn(&SecretState) -> bool,
    ) -> Result<(), StoreError> {
        match moved {
            Err(fault) if fault.kind == StoreErrorKind::Conflict => match self.describe(id).await {
                Ok(state) if done(&state) => Ok(()),
                _ => Err(fault),
            },
            moved => moved,
        }
    }
}

fn time(date: DateTime) -> Option<SystemTime> {
    SystemTime::try_from(date).ok()
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::sentinel::found;

    #[test]
    fn neither_settings_nor_store_nor_the_client_of_the_sdk_show_credentials() {
        let (secret, session) = ("sentinel/access+key?", "sentinel/session+token?");
        let settings = AwsSettings {
            region: "us-east-1".into(),
            access_key_id: "AKID".into(),
            secret_access_key: secret.into(),
            session_token: Some(session.into()),
            endpoint: None,
        };
        let store = AwsStore::connect(&settings);
        assert_eq!(format!("{store:?}"), "AwsStore");
        assert_eq!(
            format!("{settings:?}"),
            "AwsSettings { region: \"us-east-1\", access_key_id: \"AKID\", \
             secret_access_key: SecretBox<str>([REDACTED]), \
             session_token: Some(SecretBox<str>([REDACTED])), endpoint: None }"
        );
        let client = format!("{:?}", **store.0);
        assert_eq!(found(secret, &client), None);
        assert_eq!(found(session, &client), None);
    }
}
