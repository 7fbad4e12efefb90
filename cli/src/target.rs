//! From the command line to an engine: which secret, which rotator, which store.

use std::time::Duration;

use secrecy::ExposeSecret;
use secrets_core::event::{SecretId, VersionId};
use secrets_core::rotation::{PlanError, Reason};
use secrets_core::store::aws::AwsStore;
use secrets_core::store::{Label, SecretReader, SecretState, SecretStore, StoreError, Version};
use tokio::time::Instant;

use crate::args::{Common, Of};
use crate::engine::Engine;
use crate::report::Failure;
use crate::rotators::{self, ENGINES, Kind};
use crate::settings;
use crate::store::{May, Store};

/// A secret, and what rotates it.
pub(crate) struct Target<'c> {
    pub(crate) secret: SecretId,
    pub(crate) kind: Kind,
    aws: AwsStore,
    even_if_disabled: bool,
    common: &'c Common,
}

impl<'c> Target<'c> {
    /// Finds out which rotator it is: the one that is named, or the one that the secret's engine names.
    pub(crate) async fn open(of: &Of, common: &'c Common) -> Result<Self, Failure> {
        let aws = settings::store(common)?;
        let secret = SecretId::from(of.secret.clone());
        let kind = match of.rotator {
            Some(kind) => kind,
            None => detect(&aws, &secret).await?,
        };
        Ok(Self {
            secret,
            kind,
            aws,
            even_if_disabled: of.even_if_disabled,
            common,
        })
    }

    /// An engine that may do that.
    pub(crate) fn engine(&self, may: May) -> Result<Box<dyn Engine>, Failure> {
        let env = settings::environment(self.common)?;
        let store = Store::new(self.aws.clone(), may, self.even_if_disabled);
        rotators::engine(self.kind, env, &store).map_err(|faults| settings::invalid(&faults))
    }

    /// Labels and dates, as the service tells them.
    pub(crate) async fn state(&self) -> Result<SecretState, Failure> {
        let state = self.aws.describe(&self.secret).await;
        state.map_err(|fault| Reason::from(fault).into())
    }

    /// When a step that begins now has to be over.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.common.timeout)
    }
}

/// The version of a rotation that is under way: it is pending, and not current.
pub(crate) fn pending(state: &SecretState) -> Option<&VersionId> {
    let current = state.holder(&Label::Current);
    let pending = state.holder(&Label::Pending);
    pending.filter(|holder| Some(*holder) != current)
}

async fn detect(aws: &AwsStore, secret: &SecretId) -> Result<Kind, Failure> {
    let current = match aws.get(secret, &Version::CURRENT).await {
        Ok(current) => current,
        Err(fault) => return Err(unread(aws, secret, fault).await.into()),
    };
    let engine = current.document.optional_text("engine").ok().flatten();
    let known = engine
        .as_ref()
        .map(|it| Kind::of_engine(it.expose_secret()));
    match known {
        Some(Some(kind)) => Ok(kind),
        Some(None) => {
            let engines: Vec<_> = ENGINES.iter().map(|(engine, _)| *engine).collect();
            Err(Failure::settings(format!(
                "no rotator is known for the `engine` of the secret (known are {}); name one with --rotator",
                engines.join(", ")
            )))
        }
        None => Err(Failure::settings(
            "the secret has no `engine` that would name its rotator; name it with --rotator",
        )),
    }
}

/// Why there is no current value: where the labels explain it, that says more than the refused read.
async fn unread(aws: &AwsStore, secret: &SecretId, fault: StoreError) -> Reason {
    match aws.describe(secret).await {
        Ok(state) if state.deleted => PlanError::Deleted.into(),
        Ok(state) if state.holder(&Label::Current).is_none() => PlanError::NoCurrent.into(),
        _ => fault.into(),
    }
}
