//! How long a step may take in kits on real sockets, which need a real clock.

use std::time::Duration;

use secrets_core::testing::Fault;

/// What hangs uses all of `hanging`; nothing else needs it, but on a busy machine.
pub fn step_timeout(faults: &[Fault], hanging: Duration) -> Duration {
    let hangs = |fault: &Fault| matches!(fault, Fault::HangBefore | Fault::HangAfter);
    if faults.iter().any(hangs) {
        hanging
    } else {
        Duration::from_secs(20)
    }
}
