//! The secret that another one names as its `masterarn`.

use secrets_core::rotator::RotatorError;
use secrets_core::store::{StoreError, StoreErrorKind};

/// What it means for a rotation that the second secret was not read.
pub(crate) fn unread(whose: &str, mut fault: StoreError) -> RotatorError {
    let code = fault.code.take();
    let kind = match fault.kind {
        StoreErrorKind::Denied | StoreErrorKind::Key => RotatorError::refused,
        kind if kind.is_transient() => RotatorError::unreachable,
        _ => RotatorError::misconfigured,
    };
    let read = kind(format!("{whose} (`masterarn`) was not read: {fault}"));
    match code {
        Some(code) => read.with_code(code),
        None => read,
    }
}
