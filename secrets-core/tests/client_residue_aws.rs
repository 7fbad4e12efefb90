//! How many copies of a secret are in memory where the client reads over the AWS SDK and HTTP. A binary of its
//! own, with one test, since it looks at everything that the process has.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails"
)]

#[path = "support/copies.rs"]
mod copies;
#[path = "support/service.rs"]
mod service;

use secrecy::SecretString;
use secrets_core::client::SecretsClient;
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::store::Version;
use secrets_core::store::aws::{AwsSettings, AwsStore};

use copies::{Search, secret};
use service::{ID, Service};

/// The read buffers of the HTTP client are not ours to wipe. Each has 8 KiB, in which replies of about 600 bytes
/// may lie side by side; then it is used again. Whatever the number of reads, 1 to 4 were seen, and 7 where head and
/// body of a reply came apart.
const BUFFERS: usize = 13;
const VERSIONS: usize = 40;

struct Login {
    _password: SecretString,
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            _password: secret.text("password")?,
        })
    }
}

#[tokio::test]
async fn what_the_client_holds_and_what_lies_in_buffers_of_the_http_client() {
    let mut search = Search::new();
    let service = Service::start(secret);
    let settings = AwsSettings::from_lookup(|name| {
        Some(match name {
            "AWS_REGION" => "us-east-1".into(),
            "AWS_ENDPOINT_URL" => service.endpoint(),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "AKID".into(),
            _ => return None,
        })
    });
    let store = AwsStore::connect(&settings.expect("all settings"));

    let secrets = SecretsClient::new(store);
    // Versions by id, since each is an entry, and a read, of its own.
    for n in 0..VERSIONS {
        let version = Version::Id(format!("version {n}").into());
        let read = secrets.get_secret_version(ID, &version).await;
        drop(read.expect("a secret"));
    }
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    let ours = VERSIONS + 2;
    let live = search.copies();
    assert!((ours..=ours + BUFFERS).contains(&live), "{live} copies");
    drop((db, secrets));
    let after = search.copies();
    assert!(after <= BUFFERS, "{after} copies after the last handle");
    println!(
        "{} more than the client holds; {after} after it",
        live - ours
    );
}
