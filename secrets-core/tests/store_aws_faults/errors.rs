//! No answer, or an error for an answer, however often it is tried.

use std::time::{Duration, Instant};

use harness::proxy::{Fault, HttpAction, HttpProxy};
use secrets_core::store::StoreErrorKind;
use secrets_core::store::aws::Timeouts;

use crate::call::{Call, NOWHERE, quick, store_in};

#[tokio::test]
async fn each_error_of_the_service_has_its_kind_and_the_transient_ones_are_retried() {
    use StoreErrorKind::{Conflict, Denied, Invalid, Key, NotFound, Throttled, Unavailable};

    let proxy = HttpProxy::start(NOWHERE).await;
    for (code, aws_code, kind, tries) in [
        (400, "ThrottlingException", Throttled, 3),
        (503, "ThrottlingException", Throttled, 3),
        (429, "SlowerPleaseException", Throttled, 1),
        (400, "AccessDeniedException", Denied, 1),
        (400, "ExpiredTokenException", Denied, 1),
        (403, "ExpiredToken", Denied, 1),
        (400, "RequestExpired", Denied, 1),
        (400, "UnrecognizedClientException", Denied, 1),
        (400, "InvalidSignatureException", Denied, 1),
        (400, "DecryptionFailure", Key, 1),
        (400, "EncryptionFailure", Key, 1),
        (500, "InternalServiceError", Unavailable, 3),
        (503, "ServiceUnavailable", Unavailable, 3),
        (500, "NoDocumentedException", Unavailable, 3),
        (408, "RequestTimeoutException", Unavailable, 3),
        (400, "ResourceNotFoundException", NotFound, 1),
        (400, "ResourceExistsException", Conflict, 1),
        // A secret that is marked for deletion, or managed by another service.
        (400, "InvalidRequestException", Invalid, 1),
        (400, "InvalidParameterException", Invalid, 1),
        // The SDK takes it for throttling; here it is a quota of versions or labels.
        (400, "LimitExceededException", Invalid, 3),
        (400, "NoDocumentedException", Invalid, 1),
    ] {
        let action = HttpAction::Status {
            code,
            aws_code: aws_code.into(),
        };
        let region = format!("test-{code}-{aws_code}").to_lowercase();
        let store = store_in(&region, &proxy.endpoint(), &quick());
        for call in Call::ALL {
            let notes = matches!(call, Call::Mark | Call::Unmark);
            let moves = notes || matches!(call, Call::Promote | Call::Discard);
            let kind = match aws_code {
                "InvalidParameterException" if moves => Conflict,
                _ => kind,
            };
            let mut operations = vec![call.operation(); tries];
            if notes && kind == Conflict {
                // A repeat may be refused for having nothing to do; the labels tell, if they can be had.
                operations.push("DescribeSecret");
            }
            proxy.reset();
            proxy.fault_from(1, Fault::Before(action.clone()));
            call.fails(&store, kind, Some(aws_code)).await;
            assert_eq!(proxy.operations(), operations, "{aws_code}");
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_of_the_service_is_unavailable() {
    let proxy = HttpProxy::start(NOWHERE).await;
    let store = store_in("test-no-answer", &proxy.endpoint(), &quick());
    for (action, tries) in [(HttpAction::Garbage, 1), (HttpAction::Drop, 3)] {
        for call in Call::ALL {
            proxy.reset();
            proxy.fault_from(1, Fault::Before(action.clone()));
            call.fails(&store, StoreErrorKind::Unavailable, None).await;
            assert_eq!(proxy.calls().len(), tries, "{call:?} {action:?}");
        }
    }
    let unreachable = store_in("test-unreachable", NOWHERE, &quick());
    for call in Call::ALL {
        call.fails(&unreachable, StoreErrorKind::Unavailable, None)
            .await;
    }
}

#[tokio::test]
async fn a_service_that_hangs_is_unavailable_when_the_time_is_up() {
    const SHORT: Duration = Duration::from_millis(30);
    /// Less than the shortest time-out that is not `SHORT`.
    const LONG: Duration = Duration::from_secs(4);
    let proxy = HttpProxy::start(NOWHERE).await;
    proxy.fault_from(1, Fault::Before(HttpAction::Hang));
    let attempt = Timeouts {
        attempt: SHORT,
        ..quick()
    };
    let call_in_all = Timeouts {
        call: SHORT,
        ..quick()
    };
    for (timeouts, tries) in [(attempt, 3), (call_in_all, 1)] {
        let store = store_in("test-hang", &proxy.endpoint(), &timeouts);
        for call in Call::ALL {
            let before = proxy.calls().len();
            let start = Instant::now();
            call.fails(&store, StoreErrorKind::Unavailable, None).await;
            assert!(start.elapsed() < LONG, "{call:?} with {timeouts:?}");
            // A busy machine may use up the time before the request is out.
            let seen = proxy.calls().len() - before;
            assert!(seen <= tries, "{call:?} was tried {seen} times");
        }
    }
}

#[test]
fn the_default_time_outs_are_the_documented_ones() {
    let seconds = Duration::from_secs;
    let expected = Timeouts {
        connect: seconds(3),
        attempt: seconds(5),
        call: seconds(12),
        pause: seconds(1),
    };
    assert_eq!(Timeouts::default(), expected);
}
