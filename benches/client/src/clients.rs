//! Both clients, over the same SDK client.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Config, Credentials, Region};
use aws_secretsmanager_caching::SecretsManagerCachingClient;
use secrecy::SecretString;
use secrets_core::client::SecretsClient;
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::store::aws::AwsStore;

use crate::service::Service;

/// Long enough for a whole run.
pub(crate) const LONG: Duration = Duration::from_hours(1);

pub(crate) struct Login {
    pub(crate) password: SecretString,
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            password: secret.text("password")?,
        })
    }
}

fn sdk(service: &Service) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKID", "x", None, None, "benchmark"))
        .endpoint_url(service.endpoint());
    Client::from_conf(config.build())
}

pub(crate) fn theirs(service: &Service, ttl: Duration) -> SecretsManagerCachingClient {
    let most = NonZeroUsize::new(1000).expect("not zero");
    let client = SecretsManagerCachingClient::new(sdk(service), most, ttl, true);
    client.expect("a client")
}

pub(crate) fn ours(service: &Service, ttl: Duration) -> SecretsClient {
    let builder = SecretsClient::builder(AwsStore::new(sdk(service)));
    builder.ttl(ttl).jitter(0.0).build()
}

/// What a future gives that has nothing to wait for.
#[inline]
pub(crate) fn at_once<A>(future: impl Future<Output = A>) -> A {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a read of a held value had to wait"),
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build();
    runtime.expect("a runtime")
}
