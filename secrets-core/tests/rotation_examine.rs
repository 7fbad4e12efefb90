//! What an examination finds, and that it changes nothing and presents each credential once.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::pin::Pin;
use std::time::{Duration, SystemTime};

use secrets_core::document::SecretDocument;
use secrets_core::event::Step;
use secrets_core::rotation::Reason;
use secrets_core::rotation::Rotation;
use secrets_core::rotation::examine::{Examination, Finding, Repair, Standing};
use secrets_core::rotator::{Overlap, Profile, Repeat, Rotates, RotatorError, Verdict};
use secrets_core::store::{Label, SecretStore};
use support::{Bench, FIRST, id, password_at, v};
use tokio::time::Instant;

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

async fn examine(bench: &Bench) -> Examination {
    let before = bench.store.inner.describe(&id()).await;
    let seen = bench.rotation.examine(&id(), None, deadline()).await;
    assert_eq!(bench.store.inner.describe(&id()).await, before);
    assert!(!seen.findings.is_empty());
    seen
}

fn codes(seen: &Examination) -> Vec<&'static str> {
    seen.findings.iter().map(Finding::code).collect()
}

/// What the target was asked: each credential at most once, and nothing but whether it is let in.
fn asked(bench: &Bench) -> Vec<String> {
    let log = bench.target.log();
    assert!(log.iter().all(|call| call.starts_with("test ")), "{log:?}");
    let mut once = log.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), log.len(), "{log:?}");
    log
}

#[tokio::test(start_paused = true)]
async fn a_rotation_is_recognised_between_any_two_steps() {
    let bench = Bench::new();
    for (step, expected, repair) in [
        (Step::Create, "PendingEmpty", Repair::RollForward),
        (Step::Set, "PendingNotSet", Repair::RollForward),
        (Step::Test, "PendingNotPublished", Repair::RollForward),
        (Step::Finish, "PendingNotPublished", Repair::RollForward),
    ] {
        bench.target.log();
        let seen = examine(&bench).await;
        assert_eq!(codes(&seen), [expected], "before {step}");
        assert_eq!(seen.repair(), repair);
        assert!(seen.needs_action());
        asked(&bench);
        bench.step(step).await.expect("a step");
    }
    let seen = examine(&bench).await;
    assert_eq!(codes(&seen), ["PendingOnCurrent"]);
    assert_eq!(
        (seen.repair(), seen.needs_action()),
        (Repair::Nothing, false)
    );
}

#[tokio::test(start_paused = true)]
async fn the_previous_value_is_presented_only_where_it_is_needed() {
    let bench = Bench::new();
    bench.all().await.expect("a rotation");
    bench.target.log();
    examine(&bench).await;
    assert_eq!(asked(&bench), ["test sentinel-minted-1"]);

    FIRST.clone_into(&mut bench.target.state().password);
    let seen = examine(&bench).await;
    assert_eq!(codes(&seen), ["OnlyPreviousAccepted"]);
    assert_eq!(asked(&bench).len(), 2);

    "sentinel-elsewhere".clone_into(&mut bench.target.state().password);
    let seen = examine(&bench).await;
    assert_eq!(codes(&seen), ["NoCredentialAccepted"]);
    assert_eq!(seen.repair(), Repair::Nothing);
    assert_eq!(asked(&bench).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_does_not_answer_is_asked_once() {
    let bench = Bench::new();
    bench.step(Step::Create).await.expect("a value");
    bench.target.state().down = Some(RotatorError::unreachable("no answer"));
    bench.target.log();
    let seen = examine(&bench).await;
    assert_eq!(codes(&seen), ["TargetUnreachable"]);
    assert_eq!(asked(&bench).len(), 1);
    let pending = seen.candidate(&Label::Pending).expect("one");
    assert_eq!(pending.standing, Standing::NotAsked);
    assert_eq!((seen.discardable(), seen.repair()), (None, Repair::Nothing));

    bench.target.state().down = None;
    bench.target.state().hangs = true;
    let seen = examine(&bench).await;
    assert_eq!(codes(&seen), ["OutOfTime"]);
    assert_eq!(seen.discardable(), None);
}

#[tokio::test(start_paused = true)]
async fn a_value_for_another_host_is_not_presented() {
    let bench = Bench::new();
    let foreign = r#"{"host": "elsewhere", "port": 5432, "password": "sentinel-x", "note": 1.50}"#;
    let foreign = SecretDocument::from_text(foreign);
    let (store, id, version) = (&bench.store.inner, id(), v("1"));
    let put = store.put_pending(&id, &version, &foreign, None).await;
    put.expect("a value");
    let seen = examine(&bench).await;
    assert_eq!(codes(&seen), ["PendingAltered"]);
    assert_eq!(asked(&bench), [format!("test {FIRST}")]);
    assert_eq!(seen.repair(), Repair::Discard(v("1")));
    let keys = vec!["host".to_owned()];
    let altered = Finding::Fault(Reason::PendingAltered { keys });
    assert_eq!(seen.findings, [altered]);
}

#[tokio::test(start_paused = true)]
async fn only_what_is_provably_useless_is_discarded() {
    let bench = Bench::new();
    bench.step(Step::Create).await.expect("a value");
    let (_, discarded) = bench
        .rotation
        .discard_if_safe(&id(), deadline())
        .await
        .expect("labels move");
    assert_eq!(discarded, Some(v("1")));
    assert_eq!(password_at(&bench.store.inner, Label::Pending).await, None);

    // What works stays, also beside the current value; and so does what is all that there is.
    for (password, also, expected) in [
        ("sentinel-minted-1", None, "PendingNotPublished"),
        (FIRST, Some("sentinel-minted-1"), "BothAccepted"),
        ("sentinel-elsewhere", None, "NoCredentialAccepted"),
    ] {
        let bench = Bench::new();
        bench.step(Step::Create).await.expect("a value");
        password.clone_into(&mut bench.target.state().password);
        bench.target.state().also = also.map(str::to_owned);
        let answer = bench.rotation.discard_if_safe(&id(), deadline()).await;
        let (seen, discarded) = answer.expect("an answer");
        assert_eq!((codes(&seen), discarded), (vec![expected], None));
        let kept = password_at(&bench.store.inner, Label::Pending).await;
        assert_eq!(kept.as_deref(), Some("sentinel-minted-1"));
    }
}

/// Another invocation sets the value after it was seen refused.
#[tokio::test(start_paused = true)]
async fn a_value_that_was_set_meanwhile_gets_its_label_back() {
    let bench = Bench::new();
    bench.step(Step::Create).await.expect("a value");
    let target = bench.target.clone();
    // After the labels, the current and the pending value: right before the label is taken off.
    let act = move |_| -> Pin<Box<dyn Future<Output = ()> + Send>> {
        "sentinel-minted-1".clone_into(&mut target.state().password);
        Box::pin(async {})
    };
    bench.store.meanwhile(4, Box::new(act));
    let fault = bench.rotation.discard_if_safe(&id(), deadline()).await;
    let reason = fault.expect_err("another is at work");
    assert_eq!(reason.code(), "AnotherInvocation");
    let pending = password_at(&bench.store.inner, Label::Pending).await;
    assert_eq!(pending.as_deref(), Some("sentinel-minted-1"));
    bench.all().await.expect("the rotation goes on");
}

#[tokio::test(start_paused = true)]
async fn notes_of_createsecret_mean_what_the_profile_says() {
    for (repeat, expected) in [
        (Repeat::Free, "NotesLeft"),
        (Repeat::Told, "CreateTried"),
        (Repeat::Never, "Unrepeatable"),
    ] {
        let bench = Bench::new();
        bench.target.state().profile =
            Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace).repeating(repeat);
        let note = Label::from("CREATE-BEGAN-1767225600-UNTIL-1767225630-9f86d081884c7d65");
        let (store, id, version) = (&bench.store.inner, id(), v("0"));
        store.mark(&id, &version, &note).await.expect("a note");
        let seen = examine(&bench).await;
        let mut found = codes(&seen);
        found.retain(|code| *code != "PendingEmpty");
        assert_eq!(found, [expected]);
        if repeat == Repeat::Free {
            assert_eq!(bench.rotation.remove_notes(&id).await, Ok(1));
            assert_eq!(codes(&examine(&bench).await), ["PendingEmpty"]);
        }
        // With a value there is nothing to create.
        if repeat != Repeat::Never {
            bench.step(Step::Create).await.expect("a value");
            assert_eq!(codes(&examine(&bench).await), ["PendingNotSet"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_behind_and_a_rotation_that_is_too_soon_are_noticed() {
    let bench = Bench::new();
    bench.all().await.expect("a rotation");
    let at = |now: SystemTime| {
        Rotation::new(bench.store.clone(), bench.target.clone())
            .with_min_overlap(Duration::from_hours(1))
            .with_clock(move || now)
    };
    let behind = at(SystemTime::now() - Duration::from_mins(10));
    let seen = behind.examine(&id(), None, deadline()).await;
    assert_eq!(codes(&seen), ["ClockBehind", "PendingOnCurrent", "TooSoon"]);
    let later = at(SystemTime::now() + Duration::from_hours(2));
    let seen = later.examine(&id(), None, deadline()).await;
    assert_eq!(codes(&seen), ["PendingOnCurrent"]);
}

#[tokio::test(start_paused = true)]
async fn verify_presents_the_current_value_once() {
    let bench = Bench::new();
    assert_eq!(
        bench.rotation.verify(&id(), deadline()).await,
        Ok(Verdict::Accepted)
    );
    assert_eq!(asked(&bench), [format!("test {FIRST}")]);
    "sentinel-elsewhere".clone_into(&mut bench.target.state().password);
    assert_eq!(
        bench.rotation.verify(&id(), deadline()).await,
        Ok(Verdict::Rejected)
    );
}
