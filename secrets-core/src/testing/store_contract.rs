//! One suite for every store: a sentence of the contract is a test, and says so in its name.
//!
//! The contract is the `# Behavior` lists of [`SecretReader`] and [`SecretStore`]; [`SENTENCES`] holds
//! the same words. [`run_all`] checks all of them against any store, be it over a service, an
//! emulator or another store. What an emulator is known to do otherwise is declared as a
//! [`Deviation`], by name and by what is seen; one that is no longer seen is a failure too, so that
//! the list stays true.
//!
//! ```
//! # async fn test() -> Result<(), secrets_core::testing::store_contract::ContractBroken> {
//! use secrets_core::store::memory::MemoryStore;
//! use secrets_core::testing::store_contract::{MemoryFixture, run_all};
//! use std::sync::Arc;
//!
//! // Instead of `Arc::new`, the constructor of the wrapper that is to be checked.
//! run_all(&MemoryFixture::new(Arc::new), &[]).await
//! # }
//! # let waker = std::task::Waker::noop();
//! # let done = std::pin::pin!(test()).poll(&mut std::task::Context::from_waker(waker));
//! # assert!(matches!(done, std::task::Poll::Ready(Ok(()))));
//! ```
//!
//! [`SecretReader`]: crate::store::SecretReader

mod case;
mod describe;
mod discard;
mod fixture;
mod mark;
mod promote;
mod put;
mod read;
mod report;
mod values;

pub use fixture::{FixtureError, MemoryFixture, StoreFixture};
pub use report::{ContractBroken, Deviation};

#[allow(unused_imports, reason = "the documentation links to it")]
use crate::store::SecretStore;

macro_rules! sentences {
    ($($module:ident: $($sentence:ident)+;)+) => {
        /// The name of every sentence, in the order in which they are checked.
        pub const SENTENCES: &[&str] = &[$($(stringify!($sentence)),+),+];

        /// Checks each sentence with a secret of its own.
        async fn check_all<F: StoreFixture>(fixture: &F) -> Vec<(&'static str, case::Held)> {
            // Boxed one by one: together they would be a very large future.
            vec![$($((
                stringify!($sentence),
                Box::pin($module::$sentence(fixture)).await,
            )),+),+]
        }
    };
}

sentences! {
    read:
        a_label_finds_its_version
        an_id_finds_its_version_whatever_its_labels
        exactly_finds_a_version_that_holds_the_label
        exactly_with_a_label_that_sits_elsewhere_is_not_found_or_invalid
        a_label_that_no_version_holds_is_not_found
        a_version_that_is_not_there_is_not_found
        a_version_without_a_value_is_not_found
        an_unknown_secret_is_not_found
        a_secret_marked_for_deletion_gives_no_value
        a_version_tells_when_it_was_made;
    values:
        json_comes_back_to_the_letter
        plain_text_comes_back_to_the_letter
        bytes_come_back_to_the_letter
        the_largest_value_comes_back_to_the_letter
        no_error_holds_any_part_of_a_value;
    describe:
        an_unknown_secret_is_not_found_by_any_call
        a_secret_marked_for_deletion_takes_no_change
        describe_lists_every_label_with_its_version
        describe_lists_a_version_without_a_value
        describe_says_neither_on_nor_off_where_rotation_was_never_configured
        describe_says_that_rotation_is_on_once_it_has_begun
        describe_says_that_a_secret_is_marked_for_deletion;
    put:
        put_pending_fills_the_placeholder
        put_pending_makes_a_version_that_is_not_there
        put_pending_takes_awspending_from_its_holder
        put_pending_leaves_the_other_labels_alone
        put_pending_of_the_same_value_again_succeeds_and_changes_nothing
        put_pending_of_another_value_is_conflict_and_changes_nothing
        put_pending_of_another_value_for_a_promoted_version_is_conflict_and_changes_nothing;
    promote:
        promote_moves_awscurrent
        promote_moves_awsprevious_onto_from
        promote_leaves_awspending_on_to_or_nowhere
        promote_from_a_version_without_awscurrent_is_conflict_and_changes_nothing
        promote_over_a_newer_value_is_conflict_and_changes_nothing
        promote_repeated_is_conflict_and_changes_nothing
        promote_to_a_version_that_is_not_there_is_an_error_and_changes_nothing;
    discard:
        discard_pending_takes_awspending_off
        discard_pending_leaves_the_other_labels_alone
        discard_pending_of_a_version_without_awspending_is_conflict_and_changes_nothing
        discard_pending_lets_another_rotation_begin;
    mark:
        mark_puts_the_label_onto_the_version
        mark_leaves_the_other_labels_alone
        mark_repeated_succeeds_and_changes_nothing
        mark_of_a_label_that_sits_on_another_version_is_conflict_and_changes_nothing
        mark_of_a_version_that_is_not_there_is_an_error_and_changes_nothing
        unmark_takes_the_label_off
        unmark_leaves_the_other_labels_alone
        unmark_of_a_version_that_does_not_hold_the_label_succeeds_and_changes_nothing;
}

/// Checks every sentence of the contract, also after one that does not hold.
///
/// # Errors
/// [`ContractBroken`] lists each sentence that does not hold and is not declared, and each declared
/// deviation that is not what is seen.
pub async fn run_all<F: StoreFixture>(
    fixture: &F,
    deviations: &[Deviation],
) -> Result<(), ContractBroken> {
    report::judge(check_all(fixture).await, deviations)
}
