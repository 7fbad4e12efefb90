//! The suite for stores finds a store that breaks a sentence, and says which one.
#![allow(
    clippy::expect_used,
    reason = "a test that panics is a test that fails"
)]

mod documented;
mod flawed;

use std::collections::BTreeSet;

use flawed::{Flaw, Flawed};
use secrets_core::testing::store_contract::{
    ContractBroken, Deviation, MemoryFixture, SENTENCES, run_all,
};

/// What the suite says of a store with that flaw.
async fn judge(flaw: Flaw, deviations: &[Deviation]) -> Result<(), ContractBroken> {
    let fixture = MemoryFixture::new(|inner| Flawed::new(inner, flaw));
    run_all(&fixture, deviations).await
}

#[test]
fn the_documentation_says_what_the_suite_checks() {
    let checked: BTreeSet<_> = SENTENCES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(checked.len(), SENTENCES.len(), "a sentence stands twice");
    assert_eq!(documented::sentences(), checked);
}

#[tokio::test]
async fn a_wrapper_that_passes_everything_through_holds_to_the_contract() {
    assert_eq!(judge(Flaw::None, &[]).await, Ok(()));
}

/// The beginnings of the sentences that each flaw breaks, in their order.
const CONVICTIONS: &[(Flaw, &[&str])] = &[
    (
        Flaw::ExactlyIgnoresLabel,
        &["exactly_with_a_label_that_sits_elsewhere"],
    ),
    (
        Flaw::PlaceholderHasValue,
        &[
            "exactly_with_a_label_that_sits_elsewhere",
            "a_version_without_a_value",
        ],
    ),
    (
        Flaw::PlaceholderIsHidden,
        &[
            "a_secret_marked_for_deletion_takes_no_change",
            "describe_lists_a_version_without_a_value",
        ],
    ),
    (
        Flaw::BytesBecomeText,
        &[
            "bytes_come_back",
            "the_largest_value",
            "put_pending_of_another_value_is_conflict",
        ],
    ),
    (Flaw::CutsLongValues, &["the_largest_value"]),
    (
        Flaw::RefusesRepeatedPut,
        &[
            "an_unknown_secret_is_not_found_by_any_call",
            "put_pending_of_the_same_value_again",
        ],
    ),
    (
        Flaw::SwallowsConflict,
        &[
            "put_pending_of_another_value_is_conflict",
            "put_pending_of_another_value_for_a_promoted_version",
            "promote_from_a_version_without_awscurrent",
            "promote_over_a_newer_value",
            "promote_repeated",
            "promote_to_a_version_that_is_not_there",
            "discard_pending_of_a_version_without_awspending",
            "mark_of_a_label_that_sits_on_another_version",
            "mark_of_a_version_that_is_not_there",
        ],
    ),
    (
        Flaw::PromotesWithoutCompare,
        &[
            "promote_from_a_version_without_awscurrent",
            "promote_over_a_newer_value",
            "promote_repeated",
        ],
    ),
    (
        Flaw::DiscardsWithoutCompare,
        &["discard_pending_of_a_version_without_awspending"],
    ),
    (
        Flaw::DiscardsNothing,
        &[
            "a_secret_marked_for_deletion_takes_no_change",
            "put_pending_of_the_same_value_again",
            "discard_pending_takes_awspending_off",
            "discard_pending_of_a_version_without_awspending",
            "discard_pending_lets_another_rotation_begin",
        ],
    ),
    (
        Flaw::EveryErrorIsUnavailable,
        &[
            "exactly_with_a_label_that_sits_elsewhere",
            "a_label_that_no_version_holds",
            "a_version_that_is_not_there",
            "a_version_without_a_value",
            "an_unknown_secret_is_not_found",
            "a_secret_marked_for_deletion_gives_no_value",
            "an_unknown_secret_is_not_found_by_any_call",
            "a_secret_marked_for_deletion_takes_no_change",
            "put_pending_of_another_value_is_conflict",
            "put_pending_of_another_value_for_a_promoted_version",
            "promote_from_a_version_without_awscurrent",
            "promote_over_a_newer_value",
            "promote_repeated",
            "promote_to_a_version_that_is_not_there",
            "discard_pending_of_a_version_without_awspending",
            "mark_of_a_label_that_sits_on_another_version",
            "mark_of_a_version_that_is_not_there",
        ],
    ),
    (
        Flaw::MarksWithoutCompare,
        &["mark_of_a_label_that_sits_on_another_version"],
    ),
    (
        Flaw::MarksNothing,
        &[
            "an_unknown_secret_is_not_found_by_any_call",
            "a_secret_marked_for_deletion_takes_no_change",
            "mark_puts",
            "mark_leaves",
            "mark_of_a_label_that_sits_on_another_version",
            "mark_of_a_version_that_is_not_there",
        ],
    ),
    (Flaw::RefusesRepeatedMark, &["mark_repeated"]),
    (
        Flaw::UnmarksWithoutCompare,
        &["unmark_of_a_version_that_does_not_hold"],
    ),
    (
        Flaw::RefusesRepeatedUnmark,
        &[
            "an_unknown_secret_is_not_found_by_any_call",
            "a_secret_marked_for_deletion_takes_no_change",
            "unmark_of_a_version_that_does_not_hold",
        ],
    ),
    (Flaw::UnmarksEverything, &["mark_leaves", "unmark_leaves"]),
    (Flaw::ErrorQuotesValue, &["no_error_holds"]),
    (Flaw::ForgetsDates, &["a_version_tells_when"]),
    (
        Flaw::SaysRotationIsOff,
        &["describe_says_neither", "describe_says_that_rotation_is_on"],
    ),
    (
        Flaw::HidesDeletion,
        &["describe_says_that_a_secret_is_marked_for_deletion"],
    ),
];

#[tokio::test]
async fn each_flaw_is_found_by_the_sentences_that_forbid_it_and_by_no_other() {
    for &(flaw, expected) in CONVICTIONS {
        let broken = judge(flaw, &[]).await.expect_err("a flaw");
        let sentences: Vec<_> = broken.sentences().collect();
        assert_eq!(sentences.len(), expected.len(), "{flaw:?}: {broken}");
        for (sentence, expected) in sentences.iter().zip(expected) {
            assert!(sentence.starts_with(expected), "{flaw:?}: {broken}");
        }
    }
}

const CUTS: &str = "the_largest_value_comes_back_to_the_letter";

#[tokio::test]
async fn a_report_names_the_sentence_and_what_was_seen_but_no_value() {
    let broken = judge(Flaw::PromotesWithoutCompare, &[]).await;
    let text = broken.expect_err("a flaw").to_string();
    assert!(
        text.contains(
            "\n- promote_over_a_newer_value_is_conflict_and_changes_nothing: AWSCURRENT moved from \
             [\"newer\"] to [\"second\"]; it answered success, not [Conflict]"
        ),
        "{text}"
    );
    for &(flaw, _) in CONVICTIONS {
        let broken = judge(flaw, &[]).await.expect_err("a flaw");
        assert!(!format!("{broken} {broken:?}").contains("sentinel"));
    }
}

#[tokio::test]
async fn a_declared_deviation_is_no_failure() {
    let declared = Deviation {
        sentence: CUTS,
        seen: "found another value than was put there",
    };
    assert_eq!(judge(Flaw::CutsLongValues, &[declared]).await, Ok(()));
}

#[tokio::test]
async fn a_declared_deviation_hides_no_other_sentence() {
    let declared = Deviation {
        sentence: CUTS,
        seen: "found another value than was put there",
    };
    let broken = judge(Flaw::BytesBecomeText, &[declared]).await;
    let broken = broken.expect_err("another sentence is broken, too");
    let sentences: Vec<_> = broken.sentences().collect();
    assert_eq!(
        sentences,
        [
            "bytes_come_back_to_the_letter",
            "put_pending_of_another_value_is_conflict_and_changes_nothing"
        ]
    );
}

#[tokio::test]
async fn a_declared_deviation_that_is_not_what_is_seen_is_a_failure() {
    for (flaw, sentence, says) in [
        (
            Flaw::None,
            CUTS,
            "holds; remove the declared deviation (`too long`)",
        ),
        (
            Flaw::CutsLongValues,
            CUTS,
            "deviates, but not as declared (`too long`): Exactly(",
        ),
        (
            Flaw::None,
            "a_value_of_any_size",
            "is no sentence of the contract; correct the declared deviation",
        ),
    ] {
        let seen = "too long";
        let declared = Deviation { sentence, seen };
        let broken = judge(flaw, &[declared]).await.expect_err("a false one");
        let text = broken.to_string();
        assert!(text.contains(&format!("\n- {sentence}: {says}")), "{text}");
        assert_eq!(broken.sentences().collect::<Vec<_>>(), [sentence]);
    }
}
