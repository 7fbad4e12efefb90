//! What the store refuses is dropped; what fails is not asked for on every read.

use std::time::Duration;

use secrets_core::client::ClientError;
use secrets_core::store::StoreErrorKind;

use crate::stub::{ID, Login, Mood, Stub, TTL, client, pass, password};

#[tokio::test(start_paused = true)]
async fn what_the_store_refuses_is_dropped() {
    for (kind, code) in [
        (StoreErrorKind::Denied, "AccessDeniedException"),
        (StoreErrorKind::Denied, "UnrecognizedClientException"),
        (StoreErrorKind::NotFound, "ResourceNotFoundException"),
        (StoreErrorKind::Invalid, "InvalidRequestException"),
        (StoreErrorKind::Invalid, "InvalidParameterException"),
        (StoreErrorKind::Key, "DecryptionFailure"),
    ] {
        let stub = Stub::new();
        let secrets = client(&stub);
        let db = secrets.secret::<Login>(ID).await.expect("a login");
        stub.fail(kind, code);
        pass(TTL).await;
        for fault in [
            secrets.get_secret(ID).await.expect_err(code),
            db.current().expect_err(code),
        ] {
            assert_eq!(fault.fault().map(|fault| fault.kind), Some(kind), "{code}");
            assert!(!fault.is_transient(), "{code}");
        }
        assert_eq!((stub.gets(), secrets.stats().dropped), (2, 1), "{code}");

        // Restored, granted again: handles that live see that, too.
        stub.mood(Mood::Answers);
        pass(Duration::from_secs(2)).await;
        assert_eq!(db.current().expect("a login").password(), "password-1");
        secrets.get_secret(ID).await.expect("a secret");
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_scheduled_for_deletion_is_dropped() {
    let stub = Stub::new();
    let secrets = client(&stub);
    secrets.get_secret(ID).await.expect("a secret");
    stub.store.delete(&ID.into()).expect("a secret");
    pass(TTL).await;
    secrets.get_secret(ID).await.expect("nobody has asked yet");
    pass(Duration::ZERO).await;
    let fault = secrets.get_secret(ID).await.expect_err("deleted");
    assert!(matches!(fault, ClientError::InvalidRequest(_)), "{fault:?}");
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_cannot_be_read_is_not_asked_for_on_every_read() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let mut waited = 0;
    for tenth in 0..1200 {
        let fault = secrets.get_secret("app/none").await.expect_err("no secret");
        assert!(
            matches!(fault, ClientError::ResourceNotFound(_)),
            "{fault:?}"
        );
        if stub.gets() > waited {
            waited = stub.gets();
        }
        assert!(
            waited <= 8,
            "{waited} calls after {tenth} tenths of a second"
        );
        pass(Duration::from_millis(100)).await;
    }
    // At 0 s, after pauses of 1, 2, 4, 8, 16 and 32 s: then every minute.
    assert_eq!(stub.gets(), 7);
    assert_eq!(secrets.stats().negative_hits, 1200 - 7);

    stub.put("app/none", "1");
    pass(Duration::from_mins(1)).await;
    let read = secrets
        .get_secret("app/none")
        .await
        .expect("it is there now");
    assert_eq!(password(&read), "password-1");
}

#[tokio::test(start_paused = true)]
async fn each_code_of_the_service_has_its_own_error() {
    type Is = fn(&ClientError) -> bool;
    let cases: [(StoreErrorKind, &'static str, Is, bool); 10] = [
        (
            StoreErrorKind::NotFound,
            "ResourceNotFoundException",
            |fault| matches!(fault, ClientError::ResourceNotFound(_)),
            false,
        ),
        (
            StoreErrorKind::Invalid,
            "InvalidRequestException",
            |fault| matches!(fault, ClientError::InvalidRequest(_)),
            false,
        ),
        (
            StoreErrorKind::Invalid,
            "InvalidParameterException",
            |fault| matches!(fault, ClientError::InvalidParameter(_)),
            false,
        ),
        (
            StoreErrorKind::Denied,
            "AccessDeniedException",
            |fault| matches!(fault, ClientError::AccessDenied(_)),
            false,
        ),
        (
            StoreErrorKind::Denied,
            "ExpiredTokenException",
            |fault| matches!(fault, ClientError::CredentialsExpired(_)),
            true,
        ),
        (
            StoreErrorKind::Denied,
            "RequestExpired",
            |fault| matches!(fault, ClientError::CredentialsExpired(_)),
            true,
        ),
        (
            StoreErrorKind::Key,
            "DecryptionFailure",
            |fault| matches!(fault, ClientError::DecryptionFailure(_)),
            false,
        ),
        (
            StoreErrorKind::Throttled,
            "ThrottlingException",
            |fault| matches!(fault, ClientError::Throttled(_)),
            true,
        ),
        (
            StoreErrorKind::Unavailable,
            "InternalServiceError",
            |fault| matches!(fault, ClientError::Unavailable(_)),
            true,
        ),
        (
            StoreErrorKind::Conflict,
            "ResourceExistsException",
            |fault| matches!(fault, ClientError::Unavailable(_)),
            true,
        ),
    ];
    for (kind, code, is, transient) in cases {
        let stub = Stub::new();
        stub.fail(kind, code);
        let fault = client(&stub).get_secret(ID).await.expect_err(code);
        assert!(is(&fault), "{code}: {fault:?}");
        assert_eq!(fault.is_transient(), transient, "{code}");
        assert_eq!(
            fault.fault().and_then(|fault| fault.code.as_deref()),
            Some(code)
        );
        let text = fault.to_string();
        assert!(text.contains("`app/db`") && text.contains(code), "{text}");
    }
}
