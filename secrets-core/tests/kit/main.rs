//! The kit itself is tested with rotators that are right, and with rotators that are wrong on purpose:
//! each must be convicted of its own crime.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

mod chain;
mod clones;
mod keys;
mod minted;
mod slots;
mod unreadable;

use std::fmt::Debug;

use secrets_core::rotator::Rotator;
use secrets_core::testing::{Invariant, Prover, Target, Trial, World};

/// Runs everything; sees that the sentence names this crime, and that its schedule runs again.
async fn convict<F, R, T>(crime: impl Debug, expected: Invariant, fresh: F)
where
    F: AsyncFn(World) -> Trial<R, T>,
    R: Rotator,
    T: Target,
{
    let prover = Prover::new(fresh);
    let violation = match prover.run().await {
        Ok(proof) => panic!("{crime:?} was found innocent: {proof}"),
        Err(violation) => violation,
    };
    assert_eq!(violation.invariant, expected, "{crime:?}: {violation}");
    println!(
        "{crime:?}: {} ({})",
        violation.invariant, violation.schedule
    );

    let again = prover.replay(&violation.schedule.to_string()).await;
    assert_eq!(again, Err(violation), "{crime:?}: the schedule runs again");
}

/// Goes through everything, with the figures that the documentation has for it.
async fn acquit<F, R, T>(name: &str, fresh: F)
where
    F: AsyncFn(World) -> Trial<R, T>,
    R: Rotator,
    T: Target,
{
    match Prover::new(fresh).run().await {
        Ok(proof) => {
            println!("{name}: {proof}");
            let (calls, gap) = (proof.calls, proof.gap);
            let (faults, orders) = (proof.faults, grouped(proof.interleavings));
            let row = format!("| {name} | {calls} | {gap} | {faults} | {orders} |");
            let page = include_str!("../../../docs/kit.md");
            assert!(
                page.lines().any(|line| line == row),
                "docs/kit.md lacks\n{row}"
            );
        }
        Err(violation) => panic!("{name} is right: {violation}"),
    }
}

/// With a comma before the last three digits.
fn grouped(number: usize) -> String {
    match (number / 1000, number % 1000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}
