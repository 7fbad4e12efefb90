//! The table, and that notes survive the label that they are written to.

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn mark(since: u64, until: u64) -> Mark {
    Mark {
        since,
        until,
        nonce: 1,
    }
}

fn repeats() -> impl Strategy<Value = Repeat> {
    prop_oneof![
        Just(Repeat::Told),
        Just(Repeat::Never),
        (0..200_u64).prop_map(|grace| Repeat::Within(Duration::from_secs(grace))),
    ]
}

/// Around now, so that they lie on either side of it.
fn some_marks() -> impl Strategy<Value = Vec<Mark>> {
    let one =
        (NOW - 100..NOW + 100, 0..100_u64).prop_map(|(since, lasts)| mark(since, since + lasts));
    prop::collection::vec(one, 1..4)
}

#[test]
fn the_table() {
    let within = Repeat::Within(Duration::from_secs(60));
    let (go, wait) = (Decision::Go, Decision::Wait { until: at(NOW + 1) });
    let again = |ago| Decision::Repeat {
        since: at(NOW - ago),
    };
    let stop = |ago| Decision::Stop {
        since: at(NOW - ago),
    };
    for (repeat, ago, until, expected) in [
        (Repeat::Told, 30, NOW + 1, wait),
        (Repeat::Told, 30, NOW, again(30)),
        (within, 59, NOW + 1, again(59)),
        (within, 59, NOW, again(59)),
        (within, 60, NOW + 1, wait),
        (within, 60, NOW, stop(60)),
        (Repeat::Never, 30, NOW + 1, wait),
        (Repeat::Never, 30, NOW, stop(30)),
        (Repeat::Free, 30, NOW + 1, again(30)),
    ] {
        let marks = [mark(NOW - ago, until)];
        assert_eq!(
            decide(&marks, repeat, at(NOW)),
            expected,
            "{repeat:?} {ago}"
        );
        assert_eq!(decide(&[], repeat, at(NOW)), go, "{repeat:?}");
    }
}

#[test]
fn what_another_clock_wrote_in_the_future_is_new() {
    let marks = [mark(NOW + 50, NOW + 80)];
    let within = Repeat::Within(Duration::from_secs(1));
    let again = Decision::Repeat {
        since: at(NOW + 50),
    };
    assert_eq!(decide(&marks, within, at(NOW)), again);
}

#[test]
fn a_note_is_this_text_and_lasts_until_the_deadline() {
    let now = at(NOW) + Duration::from_millis(900);
    let remaining = Duration::from_millis(29_200);
    let new = Mark::new(&"v".into(), None, now, remaining);
    assert_eq!((new.since, new.until), (NOW, NOW + 31), "down, and up");
    let other = Mark::new(&"v".into(), Some(at(NOW - 9)), now, remaining);
    assert_eq!(other.since, NOW - 9, "a repeat keeps the first try's time");
    assert_ne!(new.nonce, other.nonce);
    let over = new.over(at(NOW + 3));
    assert_eq!(
        (over.since, over.until, over.nonce),
        (NOW, NOW + 3, new.nonce)
    );
    assert_eq!(
        new.over(at(NOW + 99)),
        new,
        "it does not last longer by that"
    );
    let text = "CREATE-BEGAN-1800000000-UNTIL-1800000030-0000000000000001";
    assert_eq!(mark(NOW, NOW + 30).label().as_str(), text);
}

#[test]
fn other_labels_are_no_notes() {
    for text in [
        "AWSCURRENT",
        "CREATE-BEGAN-",
        "CREATE-BEGAN-1-UNTIL-2",
        "CREATE-BEGAN-1-UNTIL-2-1",
        "CREATE-BEGAN-+1-UNTIL-2-0000000000000001",
        "CREATE-BEGAN-1-UNTIL-2-000000000000000G",
        "CREATE-BEGAN-1-UNTIL-2-0000000000000001-more",
        // Beyond what the clock can tell.
        "CREATE-BEGAN-18446744073709551615-UNTIL-2-0000000000000001",
        "CREATE-BEGAN-1-UNTIL-18446744073709551615-0000000000000001",
    ] {
        assert_eq!(Mark::read(&text.into()), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_note_is_read_as_it_was_written(since in 0..1_u64 << 40, until in 0..1_u64 << 40, nonce: u64) {
        let mark = Mark { since, until, nonce };
        let label = mark.label();
        prop_assert!(label.as_str().len() <= 256);
        prop_assert_eq!(Mark::read(&label), Some(mark));
    }

    #[test]
    fn only_notes_on_the_version_in_question_count(one in some_marks(), two in some_marks()) {
        let labels = |marks: &[Mark]| {
            let own = marks.iter().enumerate().map(|(n, mark)| {
                Mark { nonce: n as u64, ..mark.clone() }.label()
            });
            own.chain([Label::Current]).collect()
        };
        let state = SecretState {
            versions: [("1".into(), labels(&one)), ("2".into(), labels(&two))].into(),
            ..SecretState::default()
        };
        prop_assert_eq!(marks_on(&state, &"1".into()).len(), one.len());
        prop_assert_eq!(marks_on(&state, &"3".into()).len(), 0);
        prop_assert_eq!(marks(&state).count(), one.len() + two.len());
    }

    #[test]
    fn never_does_not_repeat_and_told_only_when_all_others_are_over(marks in some_marks(), repeat in repeats()) {
        let over = marks.iter().all(|mark| mark.until <= NOW);
        let first = marks.iter().map(|mark| mark.since).min().unwrap_or(0);
        match decide(&marks, repeat, at(NOW)) {
            Decision::Go => prop_assert!(false, "there are notes"),
            Decision::Repeat { since } => {
                prop_assert_eq!(since, at(first));
                match repeat {
                    Repeat::Told => prop_assert!(over),
                    Repeat::Within(grace) => prop_assert!(at(NOW) < at(first) + grace),
                    _ => prop_assert!(false, "never"),
                }
            }
            Decision::Wait { until } => prop_assert!(until > at(NOW) && !over),
            Decision::Stop { since } => {
                prop_assert!(over && repeat != Repeat::Told);
                prop_assert_eq!(since, at(first));
            }
        }
    }
}
