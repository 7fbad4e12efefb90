//! What kits over sockets are proven against.

use secrets_core::testing::Fault;

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
