//! Applications that open new connections without a pause, while the password is rotated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql, Server};
use rotators::mysql::OldPassword;
use secrecy::ExposeSecret;
use secrets_core::rotation::{Outcome, Rotation};
use secrets_core::rotator::Rotator;
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{SecretReader, Version};
use tokio::sync::mpsc::UnboundedSender;

use crate::support::{Fixture, is_mysql, quick_hashes};

const ROTATIONS: usize = 50;

/// Half of them read anew before each login. The others hold what they have read until some time after the
/// next rotation, the longest that the profile allows: a cache that lives nearly as long as the time between
/// two rotations.
const WORKERS: usize = 4;

/// Where the test is: the rotation goes on, it is over, what was cached has expired, and so on.
#[derive(Debug, Default)]
struct Clock(AtomicUsize);

impl Clock {
    fn now(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// The time of reading that a cache still takes for fresh.
    fn era(now: usize) -> usize {
        now / 2
    }
}

/// What one worker saw.
#[derive(Debug, Default)]
struct Seen {
    logins: usize,
    /// By the server's code.
    refused: BTreeMap<u16, usize>,
    /// The longest time without a login.
    gap: Duration,
}

struct Worker<E> {
    number: usize,
    fixture: Arc<Fixture<E>>,
    clock: Arc<Clock>,
    /// Who has asked for a login, and when it began.
    asked: UnboundedSender<(usize, usize)>,
}

impl<E: Edition> Worker<E> {
    /// Logs in without a pause, until nobody listens any more.
    async fn work(self) -> Seen {
        let mut seen = Seen::default();
        let caches = self.number.is_multiple_of(2);
        let (mut held, mut read) = (self.read().await, 0);
        let mut since = Instant::now();
        loop {
            let now = self.clock.now();
            if !caches || Clock::era(now) != Clock::era(read) {
                (held, read) = (self.read().await, now);
            }
            match self.fixture.log_in(&held.0, &held.1).await {
                Ok(()) => {
                    seen.logins += 1;
                    seen.gap = seen.gap.max(since.elapsed());
                    since = Instant::now();
                }
                Err(code) => *seen.refused.entry(code).or_default() += 1,
            }
            if self.asked.send((self.number, now)).is_err() {
                return seen;
            }
        }
    }

    /// User and password of the current version.
    async fn read(&self) -> (String, String) {
        let current = self
            .fixture
            .store
            .get(&self.fixture.secret, &Version::CURRENT);
        let current = current.await.expect("a value").document;
        let text = |key| {
            current
                .text(key)
                .expect("a text")
                .expose_secret()
                .to_owned()
        };
        (text("username"), text("password"))
    }
}

/// Rotates beside the workers; gives what those saw that read anew, and those that cache.
async fn under_load<E: Edition, R: Rotator + 'static>(
    fixture: &Arc<Fixture<E>>,
    rotation: &Rotation<MemoryStore, R>,
    rotations: usize,
) -> [Seen; 2] {
    let clock = Arc::new(Clock::default());
    let (asked, mut asking) = tokio::sync::mpsc::unbounded_channel();
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let (fixture, clock) = (Arc::clone(fixture), Arc::clone(&clock));
            let asked = asked.clone();
            let worker = Worker {
                number,
                fixture,
                clock,
                asked,
            };
            tokio::spawn(worker.work())
        })
        .collect();
    for number in 0..rotations {
        let rotated = fixture
            .rotate(rotation, &format!("rotation-{number}"))
            .await;
        let rotated = rotated.map(|outcomes| outcomes[3]);
        assert_eq!(rotated, Ok(Outcome::Promoted), "{}", fixture.server.log());
        // Each worker logs in with what it holds after the promotion, and then with what it reads.
        for _ in 0..2 {
            let now = clock.0.fetch_add(1, Ordering::SeqCst) + 1;
            let mut late: BTreeSet<usize> = (0..WORKERS).collect();
            while !late.is_empty() {
                let (worker, when) = asking.recv().await.expect("workers");
                if when >= now {
                    late.remove(&worker);
                }
            }
        }
    }
    drop(asking);
    let mut seen = [Seen::default(), Seen::default()];
    for (number, worker) in workers.into_iter().enumerate() {
        let one = worker.await.expect("a worker that does not panic");
        let sum = &mut seen[1 - number % 2];
        sum.logins += one.logins;
        sum.gap = sum.gap.max(one.gap);
        for (code, count) in one.refused {
            *sum.refused.entry(code).or_default() += count;
        }
    }
    seen
}

async fn no_refusal<E: Edition, R: Rotator + 'static>(
    what: &str,
    fixture: Fixture<E>,
    rotation: Rotation<MemoryStore, R>,
) {
    let seen = under_load(&Arc::new(fixture), &rotation, ROTATIONS).await;
    let logins = seen.each_ref().map(|seen| seen.logins);
    println!(
        "{what}: {ROTATIONS} rotations, {logins:?} logins of readers without and with a cache"
    );
    for seen in seen {
        assert_eq!(seen.refused, BTreeMap::new(), "{what}");
        // Beside each rotation, after it, and with what was read then.
        assert!(seen.logins >= WORKERS * ROTATIONS);
    }
}

fn builder<E: Edition>() -> harness::mysql::Builder<E> {
    let builder = Server::<E>::builder();
    // One wrong password too many would lock the account.
    if is_mysql::<E>() {
        quick_hashes(builder)
    } else {
        builder.setting("max_password_errors", "3")
    }
}

/// An account that locks itself after three wrong passwords, as the other server's do by its own setting.
async fn of_mysql(admin: bool) -> Fixture<MySql> {
    let fixture = Fixture::<MySql>::start_with(builder()).await;
    fixture
        .root("ALTER USER app FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1")
        .await;
    if admin {
        fixture.with_admin().await;
    }
    fixture
}

#[tokio::test]
async fn a_user_of_mysql_is_never_refused() {
    let fixture = of_mysql(false).await;
    let rotation = fixture.single(OldPassword::default());
    no_refusal("MySQL, by itself", fixture, rotation).await;
}

#[tokio::test]
async fn a_user_of_mysql_with_an_admin_is_never_refused() {
    let fixture = of_mysql(true).await;
    let rotation = fixture.single(OldPassword::default());
    no_refusal("MySQL, by an admin", fixture, rotation).await;
}

#[tokio::test]
async fn a_user_of_mariadb_is_never_refused() {
    let fixture = Fixture::<MariaDb>::start_with(builder()).await;
    fixture.with_admin().await;
    let rotation = fixture.single(OldPassword::default());
    no_refusal("MariaDB, by an admin", fixture, rotation).await;
}

/// The one strategy that refuses logins, so that the others are seen to be measured.
async fn has_a_gap<E: Edition>() {
    const ROTATIONS: usize = 10;
    let fixture = Arc::new(Fixture::<E>::start().await);
    let rotation = fixture.single(OldPassword::Replaced);
    let [fresh, caching] = under_load(&fixture, &rotation, ROTATIONS).await;
    println!(
        "{}, replaced in place: {ROTATIONS} rotations, longest gap of a reader without a cache {:?}; refused \
         {:?} of {} logins, with a cache {:?} of {}",
        fixture.server.version(),
        fresh.gap,
        fresh.refused,
        fresh.logins,
        caching.refused,
        caching.logins
    );
    for seen in [fresh, caching] {
        assert_eq!(seen.refused.keys().collect::<Vec<_>>(), [&1045]);
    }
}

#[tokio::test]
async fn a_password_that_is_replaced_has_a_gap() {
    has_a_gap::<MySql>().await;
    has_a_gap::<MariaDb>().await;
}
