//! A whole rotation, while two readers use the credential without a pause.
//!
//! ```text
//! cargo run --example quickstart                  # everything in this process
//! cargo run --example quickstart -- --postgres    # a throw-away PostgreSQL server, TLS on
//! ```
//!
//! The target holds one password a user, the hard case: from setSecret to finishSecret it wants what
//! AWSPENDING holds. The readers bridge that by trying AWSPENDING where AWSCURRENT is refused, so no
//! read fails. Exits with 1 if one does.

mod embedded;
mod postgres;
mod readers;
mod timeline;

use std::process::ExitCode;
use std::time::Duration;

use rotators::password::{PasswordPolicy, PasswordRules};
use secrets_core::client::SecretsClient;
use secrets_core::document::SecretDocument;
use secrets_core::event::{SecretId, Step, VersionId};
use secrets_core::rotation::Rotation;
use secrets_core::rotator::Rotator;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::Driver;

use embedded::Embedded;
use readers::Readers;
use timeline::Timeline;

/// Between two steps, so that the readers are seen to go on.
const PACE: Duration = Duration::from_millis(250);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let real = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--postgres"] => true,
        _ => {
            timeline::complain("usage: quickstart [--postgres]");
            return ExitCode::from(2);
        }
    };
    match run(real).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(fault) => {
            timeline::complain(&fault.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn run(real: bool) -> Result<usize, Box<dyn std::error::Error>> {
    let policy = PasswordPolicy::new(&PasswordRules::default())?;
    if real {
        let server = postgres::start().await;
        let secret = postgres::secret(&server).await?;
        demonstrate(|store| postgres::rotator(store, &policy), &secret).await
    } else {
        let target = Embedded::start(&policy);
        demonstrate(|_| target.clone(), &Embedded::secret()).await
    }
}

/// Rotates twice under load, one rotation right after the other; gives the number of reads that failed.
async fn demonstrate<R>(
    rotator: impl Fn(MemoryStore) -> R,
    secret: &SecretDocument,
) -> Result<usize, Box<dyn std::error::Error>>
where
    R: Rotator<Credential: 'static> + 'static,
{
    let (store, id) = (MemoryStore::new(), SecretId::from("Demo/app"));
    let versions: [VersionId; 3] = [1, 2, 3].map(|n| format!("{n:0>32}").into());
    store.put_current(&id, &versions[0], secret)?;

    let rotation = Rotation::new(store.clone(), rotator(store.clone()));
    let driver = Driver::new(&store, &rotation, &id);
    let timeline = Timeline::start();
    let client = SecretsClient::builder(store.clone()).try_pending().build();
    let readers = Readers::start(2, &client, &store, &rotator, &id, &timeline);

    readers.pass(PACE).await;
    for version in &versions[1..] {
        driver.begin(version)?;
        timeline.labels("rotation begins", &store, &id).await;
        for step in Step::ALL {
            let outcome = driver.send(step, version).await?;
            let what = format!("{step}: {}", outcome.as_str().replace('_', " "));
            timeline.labels(&what, &store, &id).await;
            readers.pass(PACE).await;
        }
    }
    let seen = readers.stop().await;
    timeline.summary(&seen);
    Ok(seen.failed)
}
