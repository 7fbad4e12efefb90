//! Rotations that follow each other without a pause, and logins at every moment of them: the target accepts one version
//! at a time, and labels move after it. All orders of two or three rotations and one application's messages are tried,
//! and many of several applications at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use secrets_core::client::{ClientError, ConnectError, SecretHandle, SecretsClient, TestClock};
use secrets_core::document::SecretDocument;
use secrets_core::event::{SecretId, VersionId};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{SecretReader, SecretStore, SecretVersion, StoreError, Version};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::stub::{ID, Login};

/// createSecret, setSecret, finishSecret.
const STEPS: usize = 3;

/// Refused logins of one version by one application, however rotations follow each other: beside each of the two current
/// versions that a pending one may meet, and as the current one. By what sets out one after the other.
const MOST_REFUSALS: usize = 3;

/// Secret, target and what happens to them at each message.
#[derive(Clone)]
struct World(Arc<Mutex<State>>);

struct State {
    store: MemoryStore,
    accepts: usize,
    steps: usize,
    done: usize,
    chance: Chance,
    /// When, which version, and whether it was let in.
    logins: Vec<(Instant, usize, bool)>,
}

/// What decides how far rotations have come when a message arrives.
enum Chance {
    /// Each possibility once.
    All(Choices),
    /// Messages take a time, rotations happen beside them.
    Random(Random),
}

/// The choices of one run: which was taken, of how many.
#[derive(Default)]
struct Choices {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, of));
        }
        let (taken, before) = self.taken[self.at];
        assert_eq!(before, of, "a run is repeated exactly");
        self.at += 1;
        taken
    }

    /// Those of the next run, if there is one.
    fn next(mut self) -> Option<Self> {
        while let Some((taken, of)) = self.taken.pop() {
            if taken + 1 < of {
                self.taken.push((taken + 1, of));
                self.at = 0;
                return Some(self);
            }
        }
        None
    }
}

/// Numbers that are the same for the same seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn time(&mut self) -> Duration {
        let longest = [1, 1, 5, 30, 120, 400, 1100][usize::try_from(self.below(7)).expect("few")];
        Duration::from_millis(self.below(longest))
    }
}

impl World {
    fn new(rotations: usize, chance: Chance) -> Self {
        let store = MemoryStore::new();
        let put = store.put_current(&ID.into(), &"1".into(), &value(1));
        put.expect("a first version");
        Self(Arc::new(Mutex::new(State {
            store,
            accepts: 1,
            steps: rotations * STEPS,
            done: 0,
            chance,
            logins: Vec::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic while it is held")
    }

    fn store(&self) -> MemoryStore {
        self.state().store.clone()
    }

    fn client(&self) -> SecretsClient {
        SecretsClient::builder(self.clone())
            .jitter(0.0)
            .clock(&TestClock::new())
            .try_pending()
            .build()
    }

    /// A message to the store or the target is on its way, and rotations go on meanwhile.
    async fn message(&self) {
        let steps = {
            let mut state = self.state();
            let left = state.steps - state.done;
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

    async fn go_on(&self, steps: usize) {
        for _ in 0..steps {
            self.step().await;
        }
    }

    async fn step(&self) {
        let (store, done) = (self.store(), self.state().done);
        let (id, before) = (SecretId::from(ID), done / STEPS + 1);
        let (from, to) = (name(before), name(before + 1));
        match done % STEPS {
            0 => {
                store.begin_rotation(&id, &to).expect("no other rotation");
                let put = store.put_pending(&id, &to, &value(before + 1), None).await;
                put.expect("an empty version");
            }
            1 => self.state().accepts = before + 1,
            _ => {
                let promoted = store.promote(&id, &from, &to).await;
                promoted.expect("a pending version");
                let discarded = store.discard_pending(&id, &to).await;
                discarded.expect("a label");
            }
        }
        self.state().done += 1;
    }

    fn is_done(&self) -> bool {
        let state = self.state();
        state.done == state.steps
    }

    async fn login(&self, password: &str) -> Result<(), ()> {
        self.message().await;
        let version = password.trim_start_matches("password-");
        let version = version.parse().expect("a number");
        let let_in = self.state().accepts == version;
        let mut state = self.state();
        state.logins.push((Instant::now(), version, let_in));
        if let_in { Ok(()) } else { Err(()) }
    }

    async fn connect(&self, db: &SecretHandle<Login>) -> Result<(), ConnectError<()>> {
        let attempt =
            async |login: secrets_core::client::Current<Login>| self.login(login.password()).await;
        db.connect_with(attempt, |()| true).await
    }

    /// The refused logins of each version.
    fn refusals(&self) -> BTreeMap<usize, usize> {
        let mut refusals = BTreeMap::new();
        for (_, version, let_in) in &self.state().logins {
            *refusals.entry(*version).or_default() += usize::from(!let_in);
        }
        refusals
    }
}

impl SecretReader for World {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        self.message().await;
        let store = self.store();
        store.get(id, version).await
    }
}

fn name(version: usize) -> VersionId {
    version.to_string().as_str().into()
}

fn value(version: usize) -> SecretDocument {
    SecretDocument::from_text(&format!(r#"{{"password": "password-{version}"}}"#))
}

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime")
}

/// Logs in again and again until the rotations are over, and then once more. At each message the rotations go on by as
/// many steps as there are, and between two logins by one at least, with and without a time in which nobody logs in.
fn in_all_orders(rotations: usize, idle: &[Duration], check: impl Fn(&World)) -> usize {
    let (mut runs, mut choices) = (0, Some(Choices::default()));
    while let Some(run) = choices {
        let world = World::new(rotations, Chance::All(run));
        runtime().block_on(one_application(&world, idle));
        check(&world);
        let Chance::All(run) =
            std::mem::replace(&mut world.state().chance, Chance::Random(Random(0)))
        else {
            unreachable!("it was made so");
        };
        (runs, choices) = (runs + 1, run.next());
    }
    runs
}

async fn one_application(world: &World, idle: &[Duration]) {
    let client = world.client();
    let db = client.secret::<Login>(ID).await.expect("a login");
    loop {
        let done = world.is_done();
        let connection = world.connect(&db).await;
        assert!(connection.is_ok(), "{connection:?}, {}", told(world));
        if done {
            return;
        }
        let (steps, time) = {
            let mut state = world.state();
            let left = state.steps - state.done;
            let Chance::All(choices) = &mut state.chance else {
                unreachable!("it was made so");
            };
            let steps = if left == 0 {
                0
            } else {
                1 + choices.choose(left)
            };
            (steps, idle[choices.choose(idle.len())])
        };
        world.go_on(steps).await;
        sleep(time).await;
    }
}

fn told(world: &World) -> String {
    let state = world.state();
    let choices = match &state.chance {
        Chance::All(choices) => format!("{:?}", choices.taken),
        Chance::Random(_) => String::new(),
    };
    format!("logins {:?}, choices {choices}", state.logins)
}

#[test]
fn no_login_fails_in_any_order_of_its_messages_and_the_steps_of_rotations() {
    let idle = [0, 1100].map(Duration::from_millis);
    for (rotations, idle) in [(2, &idle[..]), (3, &idle[..1])] {
        let runs = in_all_orders(rotations, idle, |world| {
            for (version, refusals) in world.refusals() {
                assert!(refusals <= MOST_REFUSALS, "{version}: {}", told(world));
            }
        });
        println!("{rotations} rotations: {runs} orders");
        assert!(runs > 1000, "{runs}");
    }
}

#[test]
fn no_login_of_several_applications_fails_however_long_messages_and_steps_take() {
    const READERS: usize = 4;
    for seed in 0..2000 {
        let world = World::new(
            3 + usize::try_from(seed % 3).expect("few"),
            Chance::Random(Random(seed)),
        );
        let run = async {
            let client = world.client();
            let mut readers = JoinSet::new();
            for _ in 0..READERS {
                let (world, client) = (world.clone(), client.clone());
                readers.spawn(async move {
                    let db = client.secret::<Login>(ID).await.expect("a login");
                    let mut failed = None;
                    loop {
                        let done = world.is_done();
                        if let Err(fault) = world.connect(&db).await {
                            failed = Some(fault);
                        }
                        if done {
                            return failed;
                        }
                        world.message().await;
                    }
                });
            }
            while !world.is_done() {
                world.message().await;
                world.step().await;
            }
            readers.join_all().await
        };
        let failed: Vec<_> = runtime().block_on(run).into_iter().flatten().collect();
        assert!(
            failed.is_empty(),
            "seed {seed}: {failed:?}, {}",
            told(&world)
        );
        for (version, refusals) in world.refusals() {
            assert!(
                refusals <= MOST_REFUSALS * READERS,
                "seed {seed}, {version}: {}",
                told(&world)
            );
        }
    }
}
