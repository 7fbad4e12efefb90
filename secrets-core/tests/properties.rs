//! What holds for all documents and all label sets.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use secrecy::ExposeSecret;
use secrets_core::document::{Exposed, Patch, SecretDocument};
use secrets_core::event::VersionId;
use secrets_core::rotation::{Plan, PlanError, plan};
use secrets_core::store::{Label, SecretState};

fn text(document: &SecretDocument) -> String {
    match document.expose() {
        Exposed::Text(text) => text.expose_secret().to_owned(),
        Exposed::Binary(_) => panic!("text was put in"),
    }
}

/// The JSON text of a value as people and programs write them: numbers in all their forms, strings with
/// escapes, and white space.
fn json_value() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        Just("0".to_owned()),
        Just("-0".to_owned()),
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        number,
        any::<String>().prop_map(|text| serde_json::json!(text).to_string()),
        Just("\"\\u00e9\\ud83d\\ude00\\/\"".to_owned()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4)
            .prop_map(|items| format!("[ {} ]", items.join(" ,\t")));
        let object = prop::collection::btree_map("[a-z]{1,3}", inner, 0..4).prop_map(|pairs| {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(key, value)| format!("\"{key}\":\n{value}"))
                .collect();
            format!("{{{}}}", pairs.join(","))
        });
        prop_oneof![list, object]
    })
}

/// Keys with the text of their values, in any order.
fn object() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::btree_map(any::<String>(), json_value(), 0..8)
        .prop_map(|pairs| pairs.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn written(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(key, value)| format!("{}: {value}", serde_json::json!(key)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

proptest! {
    #[test]
    fn every_object_comes_back_to_the_letter(pairs in object()) {
        let source = written(&pairs);
        let document = SecretDocument::from_text(&source);
        prop_assert_eq!(text(&document), source);
        prop_assert_eq!(document.differing_keys(&document.clone()), Vec::<String>::new());
    }

    #[test]
    fn a_patch_changes_its_keys_and_no_byte_of_the_others(
        pairs in object(), key in any::<String>(), value in any::<String>(),
    ) {
        let document = SecretDocument::from_text(&written(&pairs));
        let patched = document.patched(&Patch::key(&key, value.clone().into())).expect("short");
        let literal = serde_json::json!(value).to_string();
        let mut expected = pairs.clone();
        match expected.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = literal,
            None => expected.push((key.clone(), literal)),
        }
        prop_assert_eq!(text(&patched), written(&expected));
        let differing = patched.differing_keys(&document);
        prop_assert!(differing.iter().all(|name| *name == key));
        let back = document.differing_keys(&patched);
        prop_assert_eq!(differing, back);
    }

    #[test]
    fn text_that_is_no_object_stays_what_it_is(source in any::<String>()) {
        prop_assert_eq!(text(&SecretDocument::from_text(&source)), source);
    }

    #[test]
    fn no_debug_holds_a_value(value in "[a-zA-Z0-9]{12,40}") {
        let object = SecretDocument::from_text(&format!(r#"{{"key": "{value}"}}"#));
        for document in [&object, &SecretDocument::from_text(&value)] {
            let shown = format!("{document:?}");
            prop_assert!(!shown.contains(&value));
        }
    }
}

/// Every way to put the labels onto three versions, of which the first is the event's.
fn label_sets() -> Vec<BTreeMap<VersionId, BTreeSet<Label>>> {
    let labels = [
        Label::Current,
        Label::Pending,
        Label::Previous,
        Label::Custom("blue".into()),
    ];
    let mut sets = Vec::new();
    // Each label sits on one of three versions or nowhere: 4 places, 4 labels; and each version without
    // a label may be listed or not.
    for places in 0..4_usize.pow(4) {
        for listed in 0..8 {
            let mut versions = BTreeMap::new();
            for n in 0..3 {
                if listed >> n & 1 == 1 {
                    versions.insert(version(n), BTreeSet::new());
                }
            }
            for (n, label) in labels.iter().enumerate() {
                let place = places / 4_usize.pow(u32::try_from(n).expect("small")) % 4;
                if place < 3 {
                    versions
                        .entry(version(place))
                        .or_default()
                        .insert(label.clone());
                }
            }
            sets.push(versions);
        }
    }
    sets
}

fn version(n: usize) -> VersionId {
    format!("version-{n}").into()
}

#[test]
fn the_plan_has_an_answer_for_every_label_set_and_only_the_right_one() {
    let own = version(0);
    let mut seen = 0;
    for versions in label_sets() {
        for rotation_enabled in [None, Some(true), Some(false)] {
            for deleted in [false, true] {
                let state = SecretState {
                    rotation_enabled,
                    rotated_by: None,
                    deleted,
                    last_rotated: None,
                    next_rotation: None,
                    versions: versions.clone(),
                };
                let holds = |label| state.holder(label) == Some(&own);
                let answer = plan(&own, &state);
                seen += 1;
                let expected = if deleted {
                    Err(PlanError::Deleted)
                } else if rotation_enabled == Some(false) {
                    Err(PlanError::RotationDisabled)
                } else if let Some(current) = state.holder(&Label::Current) {
                    let previous = state.holder(&Label::Previous).cloned();
                    let pending = state.holder(&Label::Pending);
                    if holds(&Label::Current) {
                        Ok(Plan::Published { previous })
                    } else if holds(&Label::Pending) {
                        Ok(Plan::Act {
                            current: current.clone(),
                            previous,
                        })
                    } else if let Some(holder) = pending.filter(|holder| *holder != current) {
                        Err(PlanError::ForeignPending {
                            holder: holder.clone(),
                        })
                    } else if state.versions.contains_key(&own) {
                        Err(PlanError::NotStaged)
                    } else {
                        Err(PlanError::UnknownVersion)
                    }
                } else {
                    Err(PlanError::NoCurrent)
                };
                assert_eq!(answer, expected, "{state:?}");
            }
        }
    }
    assert_eq!(seen, 256 * 8 * 6);
}
