//! A rotator for an invented HTTP service with API keys, proven; and what the proof says to a wrong one.
//!
//! ```text
//! cargo run --example write_a_rotator
//! ```
//!
//! `docs/write-a-rotator.md` walks through it. What an author writes is in `rotator.rs` and `api.rs`;
//! `service.rs` is the target, `wrong.rs` the same rotator with one line wrong. Exits with 1 if the right
//! one is convicted, or a wrong one is not.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for people to watch; without a socket there is nothing to show"
)]

mod api;
mod rotator;
mod service;
mod wrong;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use secrets_core::rotator::Rotator;
use secrets_core::testing::{Fault, Invariant, Prover, Trial, Violation};
use tokio::time::Instant;

use api::Api;
use rotator::Lamplight;
use service::{Outage, Service};
use wrong::{Slip, Wrong};

/// A step takes some milliseconds. It gets much more, so that a busy machine convicts nobody.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// For a service that never answers: each probe of it uses up all of this.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(2);

/// All but the calls that hang: on a real clock each of those takes the whole of `STEP_TIMEOUT`, and it
/// leaves the target as a crash at the same place does.
const FAULTS: [Fault; 6] = [
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::Throttled,
    Fault::Stale,
];

const OVERLOADED: Outage = Outage::Status(StatusCode::SERVICE_UNAVAILABLE);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match demonstrate().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            println!("{fault}");
            ExitCode::FAILURE
        }
    }
}

async fn demonstrate() -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    println!("Lamplight: {}", prove().await?);
    println!("took {:.1} s", started.elapsed().as_secs_f64());

    for (slip, expected) in [
        (Slip::SilenceMeansNo, Invariant::DoubtChangesNothing),
        (Slip::AnotherNameEachTry, Invariant::NothingPilesUp),
        (Slip::NeverRetires, Invariant::NothingPilesUp),
    ] {
        println!("\nLamplight, but {slip:?}:");
        let violation = convict(slip).await?;
        println!("{violation}");
        if violation.invariant != expected {
            return Err("that is not what this one does wrong".into());
        }
    }
    Ok(())
}

/// All that the kit has but calls that hang; then the other ways to be out of reach.
async fn prove() -> Result<String, Box<Violation>> {
    let prover = Prover::new(async |_| trial(right, OVERLOADED).await);
    let proof = prover
        .step_timeout(STEP_TIMEOUT)
        .faults(&FAULTS)
        .run()
        .await?;
    for (outage, timeout) in [
        (Outage::Status(StatusCode::TOO_MANY_REQUESTS), STEP_TIMEOUT),
        (Outage::HangsUp, STEP_TIMEOUT),
        (Outage::Silent, SILENCE_TIMEOUT),
    ] {
        let prover = Prover::new(async |_| trial(right, outage).await).step_timeout(timeout);
        prover.replay("contract").await?;
        prover.replay("outage").await?;
    }
    Ok(proof.to_string())
}

/// What a wrong rotator is convicted of, if it is, and if its schedule shows the same again.
async fn convict(slip: Slip) -> Result<Violation, String> {
    let prover = Prover::new(async |_| {
        let tries = Arc::default();
        let wrong = move || Wrong {
            right: right(),
            slip,
            tries: Arc::clone(&tries),
        };
        trial(wrong, OVERLOADED).await
    });
    let prover = prover.step_timeout(STEP_TIMEOUT).faults(&FAULTS);
    let Err(violation) = prover.run().await else {
        return Err(format!("{slip:?} was not found"));
    };
    match prover.replay(&violation.schedule.to_string()).await {
        Err(again) if again == violation => Ok(*violation),
        _ => Err(format!(
            "{} shows something else when it is run again",
            violation.schedule
        )),
    }
}

fn right() -> Lamplight {
    Lamplight(Api::new().expect("a client without TLS needs nothing of the machine"))
}

/// A service of its own, with one key.
async fn trial<R: Rotator>(rotator: impl Fn() -> R + 'static, outage: Outage) -> Trial<R, Service> {
    let target = Service::start(outage)
        .await
        .expect("loopback takes listeners");
    let secret = target.first_secret();
    Trial::new(target, secret, rotator)
}
