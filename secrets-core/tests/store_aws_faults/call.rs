//! The store under test and its calls.

use std::time::Duration;

use harness::proxy::HttpProxy;
use harness::secrets_manager::{Moto, SecretsManager};
use secrets_core::document::SecretDocument;
use secrets_core::event::{RotationToken, SecretId, VersionId};
use secrets_core::store::aws::{AwsSettings, AwsStore, Timeouts};
use secrets_core::store::{Label, SecretReader, SecretStore, StoreError, StoreErrorKind, Version};
use secrets_core::testing::sentinel::found;
use serde_json::json;

pub(crate) const VALUE: &str = "sentinel/value+1?";
pub(crate) const ACCESS_KEY: &str = "sentinel/access+key?";
pub(crate) const SESSION: &str = "sentinel/session+token?";
pub(crate) const ROTATION: &str = "sentinel/rotation+token?/0123456789abcdef";

/// For faults that strike before it matters that nothing listens there.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:9";

pub(crate) fn id() -> SecretId {
    "app/db".into()
}

pub(crate) fn v(name: &str) -> VersionId {
    format!("{name:0>32}").into()
}

/// A label of our own.
pub(crate) fn note() -> Label {
    "NOTE".into()
}

/// No pauses worth speaking of between tries; the time-outs are those of production.
pub(crate) fn quick() -> Timeouts {
    Timeouts {
        pause: Duration::from_millis(1),
        ..Timeouts::default()
    }
}

pub(crate) fn store_at(endpoint: &str, timeouts: &Timeouts) -> AwsStore {
    store_in("us-east-1", endpoint, timeouts)
}

/// The SDK gives up retrying in a region where nothing but retries is needed, for all clients of a
/// process at once. A test of many faults therefore takes a region for each.
pub(crate) fn store_in(region: &str, endpoint: &str, timeouts: &Timeouts) -> AwsStore {
    let settings = AwsSettings {
        region: region.into(),
        access_key_id: "AKID".into(),
        secret_access_key: ACCESS_KEY.into(),
        session_token: Some(SESSION.into()),
        endpoint: Some(endpoint.into()),
    };
    AwsStore::connect_with(&settings, timeouts)
}

/// The calls of a store, of the secret `app/db`, from its version 1 to its version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Get,
    Describe,
    Put,
    Promote,
    Discard,
    Mark,
    Unmark,
}

impl Call {
    pub(crate) const ALL: [Self; 7] = [
        Self::Get,
        Self::Describe,
        Self::Put,
        Self::Promote,
        Self::Discard,
        Self::Mark,
        Self::Unmark,
    ];

    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::Get => "GetSecretValue",
            Self::Describe => "DescribeSecret",
            Self::Put => "PutSecretValue",
            Self::Promote | Self::Discard | Self::Mark | Self::Unmark => "UpdateSecretVersionStage",
        }
    }

    pub(crate) async fn run(self, store: &AwsStore) -> Result<(), StoreError> {
        let value = SecretDocument::from_text(VALUE);
        let token = RotationToken::from(ROTATION);
        let (id, from, to) = (id(), v("1"), v("2"));
        match self {
            Self::Get => store.get(&id, &Version::CURRENT).await.map(drop),
            Self::Describe => store.describe(&id).await.map(drop),
            Self::Put => store.put_pending(&id, &to, &value, Some(&token)).await,
            Self::Promote => store.promote(&id, &from, &to).await,
            Self::Discard => store.discard_pending(&id, &to).await,
            Self::Mark => store.mark(&id, &from, &note()).await,
            Self::Unmark => store.unmark(&id, &from, &note()).await,
        }
    }

    /// Runs it, which must fail with that kind and code, and say what to do.
    pub(crate) async fn fails(self, store: &AwsStore, kind: StoreErrorKind, code: Option<&str>) {
        let fault = self.run(store).await.expect_err("a fault on every try");
        assert_eq!(
            (
                fault.kind,
                fault.code.as_deref(),
                fault.operation,
                &fault.secret
            ),
            (kind, code, self.operation(), &id()),
        );
        let text = fault.to_string();
        for part in [
            self.operation(),
            "`app/db`",
            remedy(kind, code),
            code.unwrap_or_default(),
        ] {
            assert!(text.contains(part), "{part:?} is missing: {text}");
        }
        for secret in [VALUE, ACCESS_KEY, SESSION, ROTATION] {
            assert_eq!(found(secret, &format!("{fault} {fault:?}")), None);
        }
    }
}

/// What the text of an error must tell.
pub(crate) fn remedy(kind: StoreErrorKind, code: Option<&str>) -> &'static str {
    match kind {
        StoreErrorKind::Denied if code.is_some_and(|code| code.contains("Expired")) => {
            "have expired; try again with new ones"
        }
        // The service was reached: the network is not to blame.
        StoreErrorKind::Unavailable if !matches!(code, None | Some("UnreadableReply")) => {
            "the service failed; try again later"
        }
        StoreErrorKind::NotFound => "check the name, the region and the version",
        StoreErrorKind::Throttled | StoreErrorKind::Conflict => "try again",
        StoreErrorKind::Denied => "grant this action on the secret to the caller's role",
        StoreErrorKind::Unavailable => "that it has an endpoint for Secrets Manager",
        StoreErrorKind::Key => "check that it is enabled and that the caller's role may use it",
        _ => "the code says why",
    }
}

/// The emulator with the secret `app/db`, and a proxy in front of it.
pub(crate) async fn emulated() -> (Moto, SecretsManager, HttpProxy, AwsStore) {
    let moto = Moto::start().await;
    let wire = moto.client();
    let first = json!({
        "Name": id().as_str(), "SecretString": "first", "ClientRequestToken": v("1").as_str(),
    });
    wire.ok("CreateSecret", first).await;
    let proxy = HttpProxy::start(moto.endpoint()).await;
    let store = store_at(&proxy.endpoint(), &quick());
    (moto, wire, proxy, store)
}
