//! How long a read of a held value takes, and how many more two threads get done.

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use aws_secretsmanager_caching::SecretsManagerCachingClient;
use secrets_core::client::{SecretHandle, SecretsClient};

use crate::clients::{LONG, Login, at_once, ours, runtime, theirs};
use crate::service::{ID, Service};
use crate::spread::Spread;

const ROUNDS: u32 = 1000;

pub(crate) struct Reads {
    pub(crate) theirs: Spread,
    pub(crate) handle: Spread,
    pub(crate) get_secret: Spread,
}

pub(crate) struct Scaling {
    pub(crate) theirs: f64,
    pub(crate) handle: f64,
    pub(crate) get_secret: f64,
    pub(crate) nothing: f64,
}

/// Both clients, each with the secret at hand.
pub(crate) struct Warm {
    theirs: SecretsManagerCachingClient,
    ours: SecretsClient,
    handle: SecretHandle<Login>,
}

impl Warm {
    pub(crate) fn new() -> Self {
        let service = Service::start(crate::copies::secret);
        let runtime = runtime();
        let (theirs, ours) = (theirs(&service, LONG), ours(&service, LONG));
        let handle = runtime.block_on(async {
            let read = theirs.get_secret_value(ID, None, None, false).await;
            read.expect("a secret");
            ours.secret(ID).await.expect("a login")
        });
        Self {
            theirs,
            ours,
            handle,
        }
    }

    #[inline]
    pub(crate) fn read_theirs(&self) {
        let read = self
            .theirs
            .get_secret_value(black_box(ID), None, None, false);
        if let Ok(secret) = at_once(read) {
            black_box(&secret.secret_string);
        }
    }

    #[inline]
    pub(crate) fn read_handle(&self) {
        if let Ok(login) = self.handle.current() {
            black_box(&login.password);
        }
    }

    #[inline]
    pub(crate) fn get_secret(&self) {
        if let Ok(secret) = at_once(self.ours.get_secret(black_box(ID))) {
            black_box(secret.version());
        }
    }
}

/// Nanoseconds a read. A round of each takes its turn, so that what else the machine does hits all alike.
pub(crate) fn reads() -> Reads {
    let warm = Warm::new();
    let mut measured = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        measured[0].push(round(2000, || warm.read_theirs()));
        measured[1].push(round(20_000, || warm.read_handle()));
        measured[2].push(round(10_000, || warm.get_secret()));
    }
    let [theirs, handle, get_secret] = measured.map(Spread::of);
    Reads {
        theirs,
        handle,
        get_secret,
    }
}

#[inline]
fn round(reads: u32, read: impl Fn()) -> f64 {
    let start = Instant::now();
    repeat(reads, &read);
    start.elapsed().as_secs_f64() * 1e9 / f64::from(reads)
}

/// The same machine code, whoever measures.
#[inline(never)]
fn repeat(reads: u32, read: &impl Fn()) {
    (0..reads).for_each(|_| read());
}

/// How many times as many reads two threads get done as one.
pub(crate) fn scaling() -> Scaling {
    let warm = Warm::new();
    Scaling {
        theirs: times(1000, || warm.read_theirs()),
        handle: times(20_000, || warm.read_handle()),
        get_secret: times(5000, || warm.get_secret()),
        nothing: times(1000, || {
            (0..200).for_each(|n| {
                black_box(n);
            });
        }),
    }
}

/// By the best of many short rounds: those in which nobody else used a processor. A round of two threads is over
/// when both are; rounds of one thread come before them and after.
fn times(reads: u32, read: impl Fn() + Sync) -> f64 {
    let read = &read;
    let alone = || {
        let rounds = (0..ROUNDS).map(|_| {
            let start = Instant::now();
            repeat(reads, read);
            start.elapsed().as_secs_f64() * 1e9 / f64::from(reads)
        });
        Spread::of(rounds).least()
    };
    let before = alone();
    let (begun, ended) = (AtomicU32::new(0), AtomicU32::new(0));
    let wait = |count: &AtomicU32, round| {
        while count.load(Ordering::Acquire) < round {
            spin_loop();
        }
    };
    let two = thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1..=ROUNDS {
                wait(&begun, n);
                repeat(reads, read);
                ended.store(n, Ordering::Release);
            }
        });
        Spread::of((1..=ROUNDS).map(|n| {
            let start = Instant::now();
            begun.store(n, Ordering::Release);
            repeat(reads, read);
            wait(&ended, n);
            start.elapsed().as_secs_f64() * 1e9 / f64::from(reads)
        }))
    });
    2.0 * before.min(alone()) / two.least()
}
