//! Ten thousand secrets, rotated by so many handlers at a time against a store in memory and a target that does
//! nothing: what the engine itself costs, and how it grows.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use secrecy::SecretString;
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::event::{SecretId, VersionId};
use secrets_core::rotation::Rotation;
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::Driver;

use crate::function::peak_memory_of;
use crate::spread::Spread;

const SECRETS: u32 = 10_000;
pub(crate) const HANDLERS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Of one number of handlers.
#[derive(Debug)]
pub(crate) struct Scale {
    pub(crate) handlers: u32,
    /// Rotations a second.
    pub(crate) rate: Spread,
    /// The most memory of the process, in MB; the secrets before the first rotation are some of it.
    pub(crate) memory: Spread,
}

/// Each measurement in a process of its own, which starts with no memory of another.
pub(crate) fn measure(rounds: u32) -> Vec<Scale> {
    let mut measured = HANDLERS.map(|_| (Vec::new(), Vec::new()));
    for _ in 0..rounds {
        for (handlers, (rates, memory)) in HANDLERS.iter().zip(&mut measured) {
            let (rate, peak) = in_a_process(*handlers);
            rates.push(rate);
            memory.push(peak);
        }
    }
    let each = HANDLERS.into_iter().zip(measured);
    each.map(|(handlers, (rates, memory))| Scale {
        handlers,
        rate: Spread::of(rates),
        memory: Spread::of(memory),
    })
    .collect()
}

fn in_a_process(handlers: u32) -> (f64, f64) {
    let program = std::env::current_exe().expect("this program has a file");
    let output = Command::new(program)
        .args(["scale", &handlers.to_string()])
        .output()
        .expect("this program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
    match numbers[..] {
        [rate, memory] => (rate, memory),
        _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// What such a process does: it prints rotations a second, and MB.
pub(crate) fn run(handlers: u32) -> String {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let seconds = runtime.block_on(rotate_all(handlers));
    format!(
        "{:.1} {:.2}",
        f64::from(SECRETS) / seconds,
        peak_memory_of("self")
    )
}

async fn rotate_all(handlers: u32) -> f64 {
    let store = MemoryStore::new();
    let value =
        r#"{"engine": "none", "host": "db.example.com", "username": "app", "password": "first"}"#;
    for n in 0..SECRETS {
        let put = store.put_current(
            &secret(n),
            &"first".into(),
            &SecretDocument::from_text(value),
        );
        put.expect("a new secret");
    }
    let rotation = Arc::new(Rotation::new(store.clone(), Nothing));
    let next = Arc::new(AtomicU32::new(0));
    let started = Instant::now();
    let tasks: Vec<_> = (0..handlers)
        .map(|_| {
            let (store, rotation, next) = (store.clone(), Arc::clone(&rotation), Arc::clone(&next));
            tokio::spawn(async move {
                let version = VersionId::from("00000000-0000-0000-0000-000000000001");
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= SECRETS {
                        return;
                    }
                    let driver = Driver::new(&store, &rotation, &secret(n));
                    driver.begin(&version).expect("a rotation begins");
                    driver.send_all(&version).await.expect("a rotation");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a handler comes to its end");
    }
    started.elapsed().as_secs_f64()
}

fn secret(n: u32) -> SecretId {
    format!("app/{n:05}").into()
}

/// A target that takes every credential.
struct Nothing;

struct Password;

impl TryFrom<&SecretDocument> for Password {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        secret.text("password").map(|_| Self)
    }
}

impl Rotator for Nothing {
    type Credential = Password;

    fn profile(&self) -> Profile {
        Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace)
    }

    async fn create(&self, _: &Password, cx: &Context) -> Result<Patch, RotatorError> {
        let fresh = SecretString::from(format!("fresh-{}-{}", cx.secret(), cx.version()));
        Ok(Patch::key("password", fresh))
    }

    async fn set(
        &self,
        _: Proven<'_, Password>,
        _: &Password,
        _: &Context,
    ) -> Result<(), RotatorError> {
        Ok(())
    }

    async fn test(&self, _: &Password, _: &Context) -> Result<Verdict, RotatorError> {
        Ok(Verdict::Accepted)
    }
}
