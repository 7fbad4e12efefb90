//! An hour of a fleet of readers, on a simulated clock: the client's own code decides when to ask.
//!
//! 100,000 processes, each with a client and a handle of its own on one of 1,000 secrets, are started within ten
//! seconds. Each logs in once a minute. Each secret is rotated once in the hour, at even distances; from that moment
//! its target refuses the old password. Secrets Manager answers after 20 ms.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use secrets_core::client::{SecretsClient, TestClock};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::store::{SecretReader, SecretVersion, StoreError, StoreErrorKind, Version};
use tokio::time::{Instant, sleep, sleep_until};

pub(crate) const READERS: u32 = 100_000;
pub(crate) const SECRETS: u32 = 1000;
const HOUR: u32 = 3600;
/// All readers are started within so many seconds.
pub(crate) const START: u32 = 10;
const LOGIN_EVERY: Duration = Duration::from_mins(1);
/// How long the service takes to answer.
const ANSWER: Duration = Duration::from_millis(20);

/// What Secrets Manager sees of such an hour.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// Calls in each second.
    pub(crate) calls: Vec<u32>,
    pub(crate) logins: u32,
    pub(crate) failed_logins: u32,
    /// Real seconds that the simulation took.
    pub(crate) took: f64,
}

impl Fleet {
    pub(crate) fn mean(&self) -> f64 {
        self.calls.iter().copied().map(f64::from).sum::<f64>() / f64::from(HOUR)
    }

    /// The most calls in one second, of those seconds.
    pub(crate) fn peak(&self, seconds: std::ops::Range<usize>) -> u32 {
        self.calls[seconds].iter().copied().max().unwrap_or(0)
    }
}

/// An hour with that jitter of the client.
pub(crate) fn simulate(jitter: f64) -> Fleet {
    let real = std::time::Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let service = Service(Arc::new(Shared {
        start: runtime.block_on(async { Instant::now() }),
        calls: (0..=HOUR).map(|_| AtomicU32::new(0)).collect(),
        versions: (0..SECRETS).map(|_| AtomicU32::new(1)).collect(),
    }));
    let (logins, failed) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    runtime.block_on(async {
        let clock = TestClock::new();
        for n in 0..READERS {
            let reader = Reader {
                service: service.clone(),
                secret: n % SECRETS,
                clock: clock.clone(),
                jitter,
            };
            let begin = Duration::from_secs(START.into()) * n / READERS;
            let (logins, failed) = (Arc::clone(&logins), Arc::clone(&failed));
            tokio::spawn(async move { reader.live(begin, &logins, &failed).await });
        }
        for secret in 0..SECRETS {
            // None at the very start: a reader begins with what is current.
            let at = Duration::from_secs(u64::from(HOUR)) * (secret + 1) / (SECRETS + 1);
            sleep_until(service.0.start + at).await;
            service.0.versions[secret as usize].fetch_add(1, Ordering::Relaxed);
        }
        sleep_until(service.0.start + Duration::from_secs(HOUR.into())).await;
    });
    Fleet {
        calls: service.0.calls[..HOUR as usize]
            .iter()
            .map(|calls| calls.load(Ordering::Relaxed))
            .collect(),
        logins: logins.load(Ordering::Relaxed),
        failed_logins: failed.load(Ordering::Relaxed),
        took: real.elapsed().as_secs_f64(),
    }
}

struct Reader {
    service: Service,
    secret: u32,
    clock: TestClock,
    jitter: f64,
}

impl Reader {
    async fn live(self, begin: Duration, logins: &AtomicU32, failed: &AtomicU32) {
        sleep(begin).await;
        let client = SecretsClient::builder(self.service.clone())
            .jitter(self.jitter)
            .clock(&self.clock)
            .build();
        let handle = client.secret::<Login>(self.secret.to_string()).await;
        let handle = handle.expect("the service answers");
        let in_force = &self.service.0.versions[self.secret as usize];
        loop {
            let login = async |number: u32| {
                let accepted = number == in_force.load(Ordering::Relaxed);
                accepted.then_some(()).ok_or(Refused)
            };
            let connection = handle
                .connect_with(|own| login(own.0), |Refused| true)
                .await;
            logins.fetch_add(1, Ordering::Relaxed);
            if connection.is_err() {
                failed.fetch_add(1, Ordering::Relaxed);
            }
            sleep(LOGIN_EVERY).await;
        }
    }
}

#[derive(Debug)]
struct Refused;

/// The number of the version, as a password would be.
struct Login(u32);

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let number = secret.text("password")?;
        let number = secrecy::ExposeSecret::expose_secret(&number).parse();
        number.map(Self).map_err(|_| DocumentError::WrongType {
            key: "password",
            expected: "a number",
        })
    }
}

/// Secrets Manager, as far as readers know it.
#[derive(Clone)]
struct Service(Arc<Shared>);

struct Shared {
    start: Instant,
    calls: Vec<AtomicU32>,
    versions: Vec<AtomicU32>,
}

impl SecretReader for Service {
    async fn get(&self, id: &SecretId, _: &Version) -> Result<SecretVersion, StoreError> {
        let second = usize::try_from(self.0.start.elapsed().as_secs()).unwrap_or(usize::MAX);
        if let Some(calls) = self.0.calls.get(second) {
            calls.fetch_add(1, Ordering::Relaxed);
        }
        sleep(ANSWER).await;
        let number = id
            .as_str()
            .parse()
            .ok()
            .and_then(|n: usize| self.0.versions.get(n));
        let Some(number) = number.map(|number| number.load(Ordering::Relaxed)) else {
            return Err(StoreError::new(
                StoreErrorKind::NotFound,
                "GetSecretValue",
                id,
            ));
        };
        Ok(SecretVersion {
            id: number.to_string().into(),
            labels: [secrets_core::store::Label::Current].into(),
            created: None,
            arn: None,
            document: SecretDocument::from_text(&format!(r#"{{"password": "{number}"}}"#)),
        })
    }
}
