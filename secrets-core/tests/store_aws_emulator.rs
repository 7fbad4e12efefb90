//! The store over the SDK holds to the contract of every store, as far as the emulator lets it.
#![allow(clippy::panic, reason = "a test that panics is a test that fails")]

use std::sync::atomic::{AtomicUsize, Ordering};

use harness::secrets_manager::{Moto, SecretsManager};
use secrets_core::event::{SecretId, VersionId};
use secrets_core::store::aws::{AwsSettings, AwsStore};
use secrets_core::testing::store_contract::{Deviation, FixtureError, StoreFixture, run_all};
use serde_json::{Value, json};

/// What moto 5.2.5 does otherwise than the service's API reference says.
const DEVIATIONS: &[Deviation] = &[
    // `PutSecretValue`: InvalidRequestException, "the secret is scheduled for deletion". moto looks
    // at the mark only when a value is read.
    Deviation {
        sentence: "a_secret_marked_for_deletion_takes_no_change",
        seen: "it answered success, not [Invalid]",
    },
    // `PutSecretValue`: a version that holds another value is ResourceExistsException. moto makes
    // an exception for a version labelled AWSPENDING and replaces it,
    Deviation {
        sentence: "put_pending_of_another_value_is_conflict_and_changes_nothing",
        seen: "the value of second changed; it answered success",
    },
    // with all its labels, so that a late createSecret leaves the secret without AWSCURRENT.
    Deviation {
        sentence: "put_pending_of_another_value_for_a_promoted_version_is_conflict_and_changes_nothing",
        seen: r#"AWSCURRENT moved from ["second"] to []; it answered success"#,
    },
    // `UpdateSecretVersionStage` moves a label or fails. moto takes it off first and then finds that
    // there is no version to put it on.
    Deviation {
        sentence: "promote_to_a_version_that_is_not_there_is_an_error_and_changes_nothing",
        seen: r#"AWSCURRENT moved from ["first"] to []"#,
    },
    // "Each staging label can be attached to only one version at a time", and once. moto appends it to
    // the version's list again, so that one removal leaves the other,
    Deviation {
        sentence: "mark_repeated_succeeds_and_changes_nothing",
        seen: r#"CONTRACT-NOTE sits on ["first"], not on []"#,
    },
    // and to the list of another version, where the service wants to be told from where it is taken.
    Deviation {
        sentence: "mark_of_a_label_that_sits_on_another_version_is_conflict_and_changes_nothing",
        seen: "another label or a mark of the secret changed; it answered success",
    },
];

struct Emulated {
    store: AwsStore,
    wire: SecretsManager,
    secrets: AtomicUsize,
}

impl Emulated {
    async fn call(&self, operation: &str, body: Value) -> Result<Value, FixtureError> {
        let (status, answer) = self.wire.call(operation, body).await;
        if status == 200 {
            Ok(answer)
        } else {
            Err(format!("{operation} answered {status} {answer}").into())
        }
    }
}

impl StoreFixture for Emulated {
    type Store = AwsStore;

    fn store(&self) -> &AwsStore {
        &self.store
    }

    async fn create(&self, version: &VersionId, value: &str) -> Result<SecretId, FixtureError> {
        let number = self.secrets.fetch_add(1, Ordering::Relaxed);
        let body = json!({
            "Name": format!("contract/{number}"),
            "ClientRequestToken": version.as_str(),
            "SecretString": value,
        });
        let answer = self.call("CreateSecret", body).await?;
        let arn = answer["ARN"]
            .as_str()
            .ok_or("CreateSecret without an ARN")?;
        Ok(arn.into())
    }

    async fn put_current(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &str,
    ) -> Result<(), FixtureError> {
        let body = json!({
            "SecretId": id.as_str(),
            "ClientRequestToken": version.as_str(),
            "SecretString": value,
        });
        self.call("PutSecretValue", body).await.map(drop)
    }

    async fn begin_rotation(&self, id: &SecretId, version: &VersionId) -> Result<(), FixtureError> {
        let wire = &self.wire;
        wire.begin_rotation(id.as_str(), version.as_str()).await;
        Ok(())
    }

    async fn delete(&self, id: &SecretId) -> Result<(), FixtureError> {
        let body = json!({"SecretId": id.as_str(), "RecoveryWindowInDays": 7});
        self.call("DeleteSecret", body).await.map(drop)
    }
}

#[tokio::test]
async fn it_holds_to_the_contract_but_for_the_deviations_of_the_emulator() {
    let moto = Moto::start().await;
    let fixture = Emulated {
        store: AwsStore::connect(&AwsSettings {
            region: "us-east-1".into(),
            access_key_id: "AKID".into(),
            secret_access_key: "secret".into(),
            session_token: None,
            endpoint: Some(moto.endpoint().into()),
        }),
        wire: moto.client(),
        secrets: AtomicUsize::new(0),
    };
    if let Err(broken) = run_all(&fixture, DEVIATIONS).await {
        panic!("{broken}");
    }
}
