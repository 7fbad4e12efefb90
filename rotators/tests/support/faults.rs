//! What kits over sockets are proven against, and how long a step may take there: they need a real clock.

use std::time::Duration;

use secrets_core::testing::{Fault, Prover};

pub const CRASHES_AND_ERRORS: [Fault; 6] = [
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::Throttled,
    Fault::Stale,
];

/// The same without what they repeat: a crash before a call is one after the call before, and to a rotator a
/// call that is throttled is one that fails before its effect.
pub const DISTINCT: [Fault; 4] = [
    Fault::CrashAfter,
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::Stale,
];

/// What hangs uses all of `hanging`; nothing else needs it, but on a busy machine.
fn step_timeout(faults: &[Fault], hanging: Duration) -> Duration {
    let hangs = |fault: &Fault| matches!(fault, Fault::HangBefore | Fault::HangAfter);
    if faults.iter().any(hangs) {
        hanging
    } else {
        Duration::from_secs(20)
    }
}

/// A prover with these faults; without any, with two invocations side by side.
pub fn with_faults<F>(prover: Prover<F>, faults: &[Fault], hanging: Duration) -> Prover<F> {
    let prover = prover
        .step_timeout(step_timeout(faults, hanging))
        .faults(faults);
    if faults.is_empty() {
        prover
    } else {
        prover.without_interleavings()
    }
}
