//! What the engine refuses to do, and why.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use secrets_core::document::{Patch, SecretDocument};
use secrets_core::event::{Step, VersionId};
use secrets_core::rotation::{Outcome, PlanError, Reason};
use secrets_core::store::{Label, SecretStore};
use support::{Bench, FIRST, id, password_at, text_at, v};

#[tokio::test(start_paused = true)]
async fn labels_that_forbid_a_step_are_named() {
    let all_steps = async |bench: &Bench, version: &VersionId| {
        let mut faults = Vec::new();
        for step in Step::ALL {
            faults.push(bench.send(step, version).await.expect_err("a fault"));
        }
        faults
    };
    let plan = |fault: PlanError| vec![Reason::Plan(fault); 4];

    let bench = Bench::new();
    let holder = v("1");
    assert_eq!(
        all_steps(&bench, &v("2")).await,
        plan(PlanError::ForeignPending { holder })
    );

    bench
        .store
        .inner
        .discard_pending(&id(), &v("1"))
        .await
        .expect("it was pending");
    assert_eq!(
        all_steps(&bench, &v("1")).await,
        plan(PlanError::UnknownVersion)
    );

    let bench = Bench::new();
    bench.all().await.expect("a rotation");
    bench
        .store
        .inner
        .discard_pending(&id(), &v("1"))
        .await
        .expect("it was pending");
    assert_eq!(all_steps(&bench, &v("0")).await, plan(PlanError::NotStaged));
    assert_eq!(bench.step(Step::Test).await, Ok(Outcome::AlreadyCurrent));

    let bench = Bench::new();
    bench.store.inner.cancel_rotation(&id()).expect("a secret");
    let disabled = Reason::Plan(PlanError::RotationDisabled);
    for step in [Step::Create, Step::Set, Step::Test, Step::Finish] {
        assert_eq!(bench.step(step).await, Err(disabled.clone()), "{step}");
    }
    bench.store.inner.delete(&id()).expect("a secret");
    assert_eq!(all_steps(&bench, &v("1")).await, plan(PlanError::Deleted));
    assert_eq!(bench.target.state().password, FIRST);
}

#[tokio::test(start_paused = true)]
async fn an_old_host_is_not_revived_with_the_previous_password() {
    let bench = Bench::new();
    bench.all().await.expect("a rotation");
    let moved = r#"{"host": "new-db", "password": "sentinel-by-hand", "note": 1.50}"#;
    bench
        .store
        .inner
        .put_current(&id(), &v("h"), &SecretDocument::from_text(moved))
        .expect("a value");
    bench
        .store
        .inner
        .begin_rotation(&id(), &v("2"))
        .expect("nothing is pending");
    assert_eq!(
        bench.send(Step::Create, &v("2")).await,
        Ok(Outcome::Created)
    );
    assert_eq!(bench.send(Step::Set, &v("2")).await, Ok(Outcome::Set));
    let pending = text_at(&bench.store.inner, Label::Pending).await;
    assert!(pending.is_some_and(|text| text.contains("new-db")));
}

#[tokio::test(start_paused = true)]
async fn a_pending_value_that_differs_elsewhere_is_not_used() {
    let bench = Bench::new();
    let altered = r#"{"host": "evil", "port": 5432, "password": "p", "note": 1.5, "extra": 1}"#;
    let altered = SecretDocument::from_text(altered);
    bench
        .store
        .inner
        .put_pending(&id(), &v("1"), &altered, None)
        .await
        .expect("an empty version");
    let keys = vec!["host".to_owned(), "extra".to_owned()];
    assert_eq!(
        bench.step(Step::Set).await,
        Err(Reason::PendingAltered { keys })
    );
    assert_eq!(bench.target.log(), [""; 0], "no credential went anywhere");
}

#[tokio::test(start_paused = true)]
async fn a_rotator_is_held_to_its_profile() {
    for (patch, fault) in [
        (
            Patch::key("host", "evil".into()),
            Reason::ForbiddenChange { key: "host".into() },
        ),
        (
            Patch::key("new", "x".into()),
            Reason::ForbiddenChange { key: "new".into() },
        ),
        (
            Patch::Text("x".into()),
            Reason::ForbiddenChange { key: String::new() },
        ),
        (Patch::key("password", FIRST.into()), Reason::Unchanged),
    ] {
        let bench = Bench::new();
        bench.target.state().patch = Some(patch);
        assert_eq!(bench.step(Step::Create).await, Err(fault));
        assert_eq!(password_at(&bench.store.inner, Label::Pending).await, None);
    }
    let bench = Bench::new();
    bench.target.state().patch = Some(Patch::key("password", "".into()));
    let fault = bench
        .step(Step::Create)
        .await
        .expect_err("a value that nobody can read");
    assert!(
        matches!(
            fault,
            Reason::Document {
                label: Label::Pending,
                ..
            }
        ),
        "{fault:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_the_rotator_cannot_read_says_so() {
    let broken = [
        (
            SecretDocument::from_bytes(b"sentinel".to_vec()),
            "the secret is binary; it must be a JSON object",
        ),
        (
            SecretDocument::from_text(r#"{"password": 7}"#),
            "`password` must be a string; correct it in the secret",
        ),
        (
            SecretDocument::from_text("{}"),
            "`password` is missing; add it to the secret",
        ),
    ];
    for (value, message) in broken {
        let bench = Bench::new();
        bench
            .store
            .inner
            .put_current(&id(), &v("b"), &value)
            .expect("a value");
        bench
            .store
            .inner
            .begin_rotation(&id(), &v("1"))
            .expect("nothing is pending");
        match bench.step(Step::Create).await {
            Err(Reason::Document {
                label: Label::Current,
                source,
            }) => {
                assert_eq!(source.to_string(), message);
            }
            other => panic!("{other:?}"),
        }
    }
}
