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

#[cfg(test)]
mod tests {
    use secrets_core::event::SecretId;
    use secrets_core::rotator::RotatorErrorKind as Kind;

    use super::*;

    #[test]
    fn an_admin_secret_that_is_not_read_says_who_must_act() {
        let id = SecretId::from("arn:admin");
        for (kind, expected) in [
            (StoreErrorKind::NotFound, Kind::Misconfigured),
            (StoreErrorKind::Invalid, Kind::Misconfigured),
            (StoreErrorKind::Denied, Kind::Refused),
            (StoreErrorKind::Key, Kind::Refused),
            (StoreErrorKind::Throttled, Kind::Unreachable),
            (StoreErrorKind::Unavailable, Kind::Unreachable),
            (StoreErrorKind::Conflict, Kind::Unreachable),
        ] {
            let fault = StoreError::new(kind, "GetSecretValue", &id).with_code(Some("Code".into()));
            let fault = unread("the admin's secret", fault);
            assert_eq!((fault.kind(), fault.code()), (expected, Some("Code")));
            assert!(fault.to_string().contains("arn:admin"), "{fault}");
            assert!(fault.to_string().ends_with("(code Code)"), "{fault}");
        }
    }
}
