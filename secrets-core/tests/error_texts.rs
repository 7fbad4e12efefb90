//! What operators read, and what alarms rely on: each error's code, who must act, and the whole text.

use std::error::Error;
use std::time::{Duration, SystemTime};

use secrets_core::document::{DocumentError, Kind};
use secrets_core::event::Step;
use secrets_core::rotation::{Advice, Outcome, PlanError, Reason, RotationError};
use secrets_core::rotator::RotatorError;
use secrets_core::store::{Label, StoreError, StoreErrorKind};

/// `code, advice: text of all causes`.
fn told(reason: Reason) -> String {
    let error = RotationError::new(Step::Set, "app/db".into(), "v".into(), reason);
    let mut text = format!("{}, {}: {error}", error.code(), error.advice().as_str());
    let mut cause = error.source();
    while let Some(fault) = cause {
        text = format!("{text}: {fault}");
        cause = fault.source();
    }
    text
}

#[test]
fn what_the_labels_forbid() {
    let expected = [
        (
            PlanError::Deleted,
            "SecretDeleted, fix_secret: setSecret of `app/db`: the secret is scheduled for deletion; \
             restore it to rotate it",
        ),
        (
            PlanError::RotationDisabled,
            "RotationDisabled, fix_secret: setSecret of `app/db`: rotation of the secret is switched off; \
             switch it on again (RotateSecret) to finish, or remove AWSPENDING from the version",
        ),
        (
            PlanError::NoCurrent,
            "NoCurrentVersion, fix_secret: setSecret of `app/db`: no version of the secret holds \
             AWSCURRENT; put a working value as AWSCURRENT",
        ),
        (
            PlanError::ForeignPending { holder: "w".into() },
            "ForeignPending, fix_secret: setSecret of `app/db`: AWSPENDING sits on another version, `w`; \
             finish that rotation (RotateSecret) or remove AWSPENDING from it",
        ),
        (
            PlanError::NotStaged,
            "VersionNotStaged, retry: setSecret of `app/db`: the version does not hold AWSPENDING: its \
             rotation was abandoned or is over; start a new one",
        ),
        (
            PlanError::UnknownVersion,
            "UnknownVersion, retry: setSecret of `app/db`: the secret has no such version; send the event \
             through RotateSecret, which registers it",
        ),
    ];
    for (fault, text) in expected {
        assert_eq!(told(Reason::Plan(fault)), text);
    }
}

#[test]
fn what_the_store_says() {
    for (kind, start, end) in [
        (
            StoreErrorKind::NotFound,
            "StoreNotFound, fix_secret",
            "not found; check the name, the region and the version",
        ),
        (
            StoreErrorKind::Conflict,
            "StoreConflict, retry",
            "another writer was there first; try again",
        ),
        (
            StoreErrorKind::Throttled,
            "StoreThrottled, retry",
            "throttled; try again later",
        ),
        (
            StoreErrorKind::Denied,
            "StoreDenied, fix_permissions",
            "denied; grant this action on the secret to the caller's role",
        ),
        (
            StoreErrorKind::Unavailable,
            "StoreUnavailable, retry",
            "no usable answer; check the region and the network; in a VPC, that it has an endpoint for \
             Secrets Manager and that security groups let port 443 through to it",
        ),
        (
            StoreErrorKind::Invalid,
            "StoreRefused, fix_secret",
            "refused by the service; the code says why",
        ),
        (
            StoreErrorKind::Key,
            "StoreKeyUnusable, fix_permissions",
            "the KMS key of the secret cannot be used; check that it is enabled and that the caller's \
             role may use it",
        ),
    ] {
        let fault = StoreError::new(kind, "GetSecretValue", &"app/db".into());
        let text = format!(
            "{start}: setSecret of `app/db`: secrets manager did not answer as needed: GetSecretValue of \
             `app/db`: {end}"
        );
        assert_eq!(told(Reason::Store(fault.clone())), text);
        let marked = fault
            .with_code(Some("SomeCode".into()))
            .with_request_id(Some("r-1".into()));
        assert!(told(Reason::Store(marked)).ends_with(" (code SomeCode) (request r-1)"));
    }
}

#[test]
fn what_the_rotator_says() {
    for (fault, start) in [
        (
            RotatorError::unreachable("words"),
            "TargetUnreachable, retry",
        ),
        (RotatorError::tls("words"), "TargetTls, fix_target"),
        (RotatorError::refused("words"), "TargetRefused, fix_target"),
        (
            RotatorError::rejected_by_target("words"),
            "TargetRejectedValue, fix_configuration",
        ),
        (
            RotatorError::misconfigured("words"),
            "RotatorMisconfigured, fix_configuration",
        ),
    ] {
        let text =
            format!("{start}: setSecret of `app/db`: the target did not answer as needed: words");
        assert_eq!(told(Reason::Rotator(fault.clone())), text);
        assert_eq!(
            told(Reason::Rotator(fault.with_code("28000"))),
            text + " (code 28000)"
        );
    }
}

#[test]
fn what_the_engine_says_itself() {
    let refused = RotatorError::rejected_by_target("too short").with_code("22023");
    let expected = [
        (
            Reason::Document {
                label: Label::Current,
                source: DocumentError::NotAnObject {
                    found: Kind::Binary,
                },
            },
            "InvalidSecret, fix_secret: setSecret of `app/db`: the value of AWSCURRENT cannot be used: the \
             secret is binary; it must be a JSON object",
        ),
        (
            Reason::TooSoon {
                not_before: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            },
            "TooSoon, retry: setSecret of `app/db`: the current version is too young: readers may still \
             hold the one before; try again after unix time 1700000000",
        ),
        (
            Reason::ForbiddenChange { key: "host".into() },
            "ForbiddenChange, report: setSecret of `app/db`: the rotator changed `host`, which its profile \
             does not name; report this to its author",
        ),
        (
            Reason::Unchanged,
            "ValueUnchanged, report: setSecret of `app/db`: the new value is the same as the current one; \
             report this to the rotator's author",
        ),
        (
            Reason::NoPendingValue,
            "NoPendingValue, retry: setSecret of `app/db`: AWSPENDING holds no value; start the rotation \
             again, so that createSecret makes one",
        ),
        (
            Reason::PendingAltered {
                keys: vec!["host".into(), "port".into()],
            },
            "PendingAltered, fix_secret: setSecret of `app/db`: AWSPENDING and AWSCURRENT differ in `host`, \
             `port`, which a rotation must not change; remove AWSPENDING from the version and rotate again",
        ),
        (
            Reason::PendingAltered {
                keys: vec![String::new()],
            },
            "PendingAltered, fix_secret: setSecret of `app/db`: AWSPENDING and AWSCURRENT differ in form, \
             which a rotation must not change; remove AWSPENDING from the version and rotate again",
        ),
        (
            Reason::NoneAccepted,
            "NoCredentialAccepted, fix_secret: setSecret of `app/db`: the target refuses the credentials of \
             AWSPENDING, AWSCURRENT and AWSPREVIOUS; set AWSCURRENT to a working credential (or the \
             target's to the one in AWSCURRENT), then rotate again",
        ),
        (
            Reason::PendingRefused,
            "PendingRefused, retry: setSecret of `app/db`: the target refuses the credential of AWSPENDING; \
             AWSCURRENT was left as it is; start the rotation again, so that setSecret sets it anew",
        ),
        (
            Reason::ValueRefused {
                discarded: true,
                source: refused.clone(),
            },
            "TargetRejectedValue, fix_configuration: setSecret of `app/db`: the target refuses the new value \
             by its own rules; AWSPENDING was discarded, AWSCURRENT still works; fit the generator to those \
             rules, then rotate again: too short (code 22023)",
        ),
        (
            Reason::ValueRefused {
                discarded: false,
                source: refused,
            },
            "TargetRejectedValue, fix_configuration: setSecret of `app/db`: the target refuses the new value \
             by its own rules; fit the generator to those rules, remove AWSPENDING from the version, then \
             rotate again: too short (code 22023)",
        ),
        (
            Reason::OutOfTime,
            "OutOfTime, retry: setSecret of `app/db`: the function's time is up; nothing is lost, the next \
             try goes on from here; if it happens again, raise the function's timeout or find out why the \
             target is slow",
        ),
    ];
    for (reason, text) in expected {
        assert_eq!(told(reason), text);
    }
}

#[test]
fn what_the_engine_says_where_a_value_must_not_be_made_twice() {
    let expected = [
        (
            Reason::AnotherInvocation {
                until: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_030),
            },
            "AnotherInvocation, retry: setSecret of `app/db`: another invocation has begun to make a value; \
             the target was not asked; try again after unix time 1700000030",
        ),
        (
            Reason::Unrepeatable {
                since: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            },
            "Unrepeatable, fix_secret: setSecret of `app/db`: making a value was begun at unix time \
             1700000000 and not finished, which may have used up the credential of AWSCURRENT; a second \
             try may end the grant, so a person must act: obtain a new credential at the target (authorise \
             again) and put it as AWSCURRENT, which ends this rotation",
        ),
    ];
    for (reason, text) in expected {
        assert_eq!(told(reason), text);
    }
}

#[test]
fn words_for_logs_are_stable() {
    use Outcome::{AlreadyCurrent, AlreadySet, Created, Kept, Promoted, Set, Tested};

    let outcomes = [
        Created,
        Kept,
        Set,
        AlreadySet,
        Tested,
        Promoted,
        AlreadyCurrent,
    ];
    assert_eq!(
        outcomes.map(Outcome::as_str),
        [
            "created",
            "kept",
            "set",
            "already_set",
            "tested",
            "promoted",
            "already_current"
        ]
    );
    assert_eq!(Advice::Report.as_str(), "report");
}
