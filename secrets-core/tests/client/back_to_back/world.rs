//! A target that accepts one version, rotations of it, and messages on their way while these go on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use secrets_core::client::{
    ClientError, ConnectError, Current, SecretHandle, SecretsClient, TestClock,
};
use secrets_core::document::SecretDocument;
use secrets_core::event::{SecretId, VersionId};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{SecretReader, SecretStore, SecretVersion, StoreError, Version};
use tokio::time::{Instant, sleep};

use super::chance::Chance;
use crate::stub::{ID, Login};

/// createSecret, setSecret, finishSecret.
const STEPS: usize = 3;

/// How an application logs in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// `connect_with`.
    Call,
    /// `candidate`, `rejected` and `accepted`.
    Parts,
}

/// What holds in one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) rotations: usize,
    pub(super) way: Way,
    /// So many logins before all that is left of the rotations happens at once.
    pub(super) logins: usize,
    /// AWSPENDING stays on what has become current, until the next rotation begins.
    pub(super) pending_stays: bool,
    /// Somebody has changed the password at the target: it accepts no version.
    pub(super) by_hand: bool,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) rules: Rules,
    pub(super) store: MemoryStore,
    state: Arc<Mutex<State>>,
}

pub(super) struct State {
    pub(super) chance: Chance,
    accepts: usize,
    done: usize,
    /// Whether rotations go on while a message is on its way.
    moving: bool,
    /// Which version, and whether it was let in.
    logins: Vec<(usize, bool)>,
    /// Of each call, how many logins it made and how long it took.
    calls: Vec<(usize, Duration)>,
}

impl World {
    pub(super) fn new(rules: Rules, chance: Chance) -> Self {
        let store = MemoryStore::new();
        let put = store.put_current(&ID.into(), &name(1), &value(1));
        put.expect("a first version");
        let state = State {
            chance,
            accepts: usize::from(!rules.by_hand),
            done: 0,
            moving: false,
            logins: Vec::new(),
            calls: Vec::new(),
        };
        Self {
            rules,
            store,
            state: Arc::new(Mutex::new(state)),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }

    pub(super) fn client(&self) -> SecretsClient {
        let builder = SecretsClient::builder(self.clone()).try_pending();
        builder.jitter(0.0).clock(&TestClock::new()).build()
    }

    /// From now on rotations go on while a message is on its way.
    pub(super) fn begin(&self) {
        self.state().moving = true;
    }

    pub(super) async fn message(&self) {
        let steps = {
            let left = self.left();
            let mut state = self.state();
            let left = if state.moving { left } else { 0 };
            match &mut state.chance {
                Chance::All(choices) => Ok(choices.choose(left + 1)),
                Chance::Random(random) => Err(random.time()),
            }
        };
        match steps {
            Ok(steps) => self.go_on(steps).await,
            Err(time) => sleep(time).await,
        }
    }

    /// The steps that are not done yet.
    pub(super) fn left(&self) -> usize {
        self.rules.rotations * STEPS - self.state().done
    }

    pub(super) async fn go_on(&self, steps: usize) {
        for _ in 0..steps {
            self.step().await;
        }
    }

    async fn step(&self) {
        let (store, done, id) = (&self.store, self.state().done, SecretId::from(ID));
        let before = done / STEPS + 1;
        let (from, to) = (name(before), name(before + 1));
        match done % STEPS {
            0 => {
                store.begin_rotation(&id, &to).expect("no other rotation");
                let put = store.put_pending(&id, &to, &value(before + 1), None).await;
                put.expect("an empty version");
            }
            1 if self.rules.by_hand => {}
            1 => self.state().accepts = before + 1,
            _ => {
                let promoted = store.promote(&id, &from, &to).await;
                promoted.expect("a pending version");
                if !self.rules.pending_stays {
                    let discarded = store.discard_pending(&id, &to).await;
                    discarded.expect("a label");
                }
            }
        }
        self.state().done += 1;
    }

    /// Logs in, and notes how many attempts that took.
    pub(super) async fn connect(&self, db: &SecretHandle<Login>) -> Result<(), ConnectError<()>> {
        let (began, attempts) = (Instant::now(), AtomicUsize::new(0));
        let attempt = async |login: Current<Login>| {
            attempts.fetch_add(1, Ordering::Relaxed);
            self.attempt(login.password()).await
        };
        let connection = match self.rules.way {
            Way::Call => db.connect_with(attempt, |()| true).await,
            Way::Parts => in_parts(db, attempt).await,
        };
        let call = (attempts.into_inner(), began.elapsed());
        self.state().calls.push(call);
        connection
    }

    async fn attempt(&self, password: &str) -> Result<(), ()> {
        self.message().await;
        let version = password.trim_start_matches("password-");
        let version = version.parse().expect("a number");
        let mut state = self.state();
        let let_in = state.accepts == version;
        state.logins.push((version, let_in));
        if let_in { Ok(()) } else { Err(()) }
    }

    /// The time of all calls.
    pub(super) fn time(&self) -> Duration {
        self.state().calls.iter().map(|(_, time)| *time).sum()
    }

    /// How often the version was refused that was refused most often.
    pub(super) fn most_refusals(&self) -> usize {
        let mut refusals: BTreeMap<usize, usize> = BTreeMap::new();
        for (version, let_in) in &self.state().logins {
            *refusals.entry(*version).or_default() += usize::from(!let_in);
        }
        refusals.into_values().max().unwrap_or_default()
    }

    /// The same of refusals after the version was let in.
    pub(super) fn most_refusals_afterwards(&self) -> usize {
        let mut known: BTreeMap<usize, (bool, usize)> = BTreeMap::new();
        for (version, let_in) in &self.state().logins {
            let (known, refusals) = known.entry(*version).or_default();
            *known |= let_in;
            *refusals += usize::from(*known && !let_in);
        }
        let refusals = known.into_values().map(|(_, refusals)| refusals);
        refusals.max().unwrap_or_default()
    }

    /// The attempts of the call with most of them, and the time of the longest.
    pub(super) fn most_of_a_call(&self) -> (usize, Duration) {
        let state = self.state();
        let attempts = state.calls.iter().map(|(attempts, _)| *attempts).max();
        let time = state.calls.iter().map(|(_, time)| *time).max();
        (attempts.unwrap_or_default(), time.unwrap_or_default())
    }

    /// All that happened, for whoever has to find out why.
    pub(super) fn told(&self) -> String {
        let state = self.state();
        let (rules, logins, calls) = (self.rules, &state.logins, &state.calls);
        format!(
            "{rules:?}, logins {logins:?}, calls {calls:?}, {}",
            state.chance.told()
        )
    }
}

impl SecretReader for World {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        self.message().await;
        self.store.get(id, version).await
    }
}

/// As a pool does that makes its connections itself.
async fn in_parts(
    db: &SecretHandle<Login>,
    attempt: impl AsyncFn(Current<Login>) -> Result<(), ()>,
) -> Result<(), ConnectError<()>> {
    let mut login = db.candidate().await.map_err(ConnectError::Secret)?;
    for _ in 0..8 {
        let version = login.version_id().clone();
        if attempt(login).await.is_ok() {
            db.accepted(&version);
            return Ok(());
        }
        let next = db.rejected(&version).await;
        login = next.map_err(|why| ConnectError::Refused { last: (), why })?;
    }
    let secret = db.id().clone();
    Err(ConnectError::Secret(ClientError::Refused { secret }))
}

fn name(version: usize) -> VersionId {
    version.to_string().as_str().into()
}

fn value(version: usize) -> SecretDocument {
    SecretDocument::from_text(&format!(r#"{{"password": "password-{version}"}}"#))
}
