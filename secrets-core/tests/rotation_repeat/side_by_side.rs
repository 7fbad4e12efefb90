//! Two invocations at once, and one that may still be under way.

use secrets_core::document::SecretDocument;
use secrets_core::event::Step;
use secrets_core::rotation::{Outcome, Reason};
use secrets_core::rotator::Repeat;
use secrets_core::store::{Label, SecretStore};
use std::time::Duration;

use crate::support::{id, v};
use crate::{LIMITED, NOTED, NOW, START, TIMEOUT, at, bench, note, notes};

#[tokio::test(start_paused = true)]
async fn a_try_that_was_cut_off_may_still_be_under_way_until_its_time_is_up() {
    let stop = Err(Reason::Unrepeatable { since: at(START) });
    let until = START + TIMEOUT + 1;
    let wait = Err(Reason::AnotherInvocation { until: at(until) });
    for (repeat, before, after) in [
        (Repeat::Told, wait.clone(), Ok(Outcome::Created)),
        (Repeat::Never, wait, stop.clone()),
        (
            Repeat::Within(Duration::from_secs(TIMEOUT + 1)),
            Ok(Outcome::Created),
            stop,
        ),
    ] {
        for (now, expected) in [(until - 1, before), (until, after)] {
            let bench = bench(repeat);
            bench.target.state().hangs = true;
            assert_eq!(bench.step(Step::Create).await, Err(Reason::OutOfTime));
            assert_eq!(notes(&bench, "0").await, [note(START, until)]);
            bench.target.state().hangs = false;
            bench.target.log();
            NOW.set(now);
            let goes_on = expected.is_ok();
            assert_eq!(bench.step(Step::Create).await, expected, "{repeat:?}");
            let again = format!("create, tried since {START}");
            let log = bench.target.log();
            assert_eq!(log == [again], goes_on, "{repeat:?}: {log:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn labels_that_do_not_show_the_own_note_yet_are_not_believed() {
    let bench = bench(Repeat::Never);
    // The first look finds none anyway.
    bench.store.hide_notes(3);
    assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Created));
    assert_eq!(
        bench.store.calls().join(" "),
        format!("{NOTED} describe describe put")
    );

    let bench = crate::bench(Repeat::Never);
    bench.store.hide_notes(99);
    let until = at(START + TIMEOUT + 1);
    assert_eq!(
        bench.step(Step::Create).await,
        Err(Reason::AnotherInvocation { until })
    );
    assert_eq!(bench.target.log(), [""; 0]);
    assert_eq!(notes(&bench, "0").await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_rotation_that_another_invocation_has_finished_meanwhile_is_not_begun_again() {
    let bench = bench(Repeat::Never);
    bench.store.meanwhile(
        4,
        Box::new(|store| {
            Box::pin(async move {
                let value = SecretDocument::from_text(r#"{"password": "another"}"#);
                let put = store.put_pending(&id(), &v("1"), &value, None).await;
                put.expect("an empty version");
                let promote = store.promote(&id(), &v("0"), &v("1")).await;
                promote.expect("it was current");
            })
        }),
    );
    let until = at(START + TIMEOUT + 1);
    assert_eq!(
        bench.step(Step::Create).await,
        Err(Reason::AnotherInvocation { until })
    );
    assert_eq!(bench.target.log(), [""; 0]);
    assert_eq!(notes(&bench, "0").await, [""; 0]);
    assert_eq!(bench.step(Step::Create).await, Ok(Outcome::AlreadyCurrent));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_a_person_has_put_meanwhile_is_what_the_next_try_begins_with() {
    let bench = bench(Repeat::Never);
    bench.store.meanwhile(
        4,
        Box::new(|store| {
            Box::pin(async move {
                let value = SecretDocument::from_text(r#"{"password": "by hand"}"#);
                let put = store.put_current(&id(), &v("p"), &value);
                put.expect("a new version");
                let begin = store.begin_rotation(&id(), &v("1"));
                begin.expect("that ended the rotation");
            })
        }),
    );
    let until = at(START + TIMEOUT + 1);
    assert_eq!(
        bench.step(Step::Create).await,
        Err(Reason::AnotherInvocation { until })
    );
    assert_eq!(bench.target.log(), [""; 0]);
    assert_eq!(notes(&bench, "0").await, [""; 0]);
    assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Created));
}

#[tokio::test(start_paused = true)]
async fn a_note_of_another_invocation_that_was_not_there_before_stops_this_one() {
    for repeat in LIMITED {
        let bench = bench(repeat);
        let until = START + 99;
        let label = format!("CREATE-BEGAN-{START}-UNTIL-{until}-0000000000000001");
        let other = Label::Custom(label);
        let theirs = other.clone();
        bench.store.meanwhile(
            4,
            Box::new(move |store| {
                Box::pin(async move {
                    let mark = store.mark(&id(), &v("0"), &theirs).await;
                    mark.expect("a version");
                })
            }),
        );
        assert_eq!(
            bench.step(Step::Create).await,
            Err(Reason::AnotherInvocation { until: at(until) })
        );
        assert_eq!(bench.store.calls().join(" "), format!("{NOTED} unmark"));
        assert_eq!(bench.target.log(), [""; 0]);
        assert_eq!(notes(&bench, "0").await, [note(START, until)]);
        // The other one had changed nothing, and took its note off.
        let unmark = bench.store.inner.unmark(&id(), &v("0"), &other).await;
        unmark.expect("a version");
        assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Created));
    }
}
