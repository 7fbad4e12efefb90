//! What holds for all password policies.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use proptest::prelude::*;
use rotators::password::{MAX_LENGTH, PasswordPolicy, PasswordRules};
use secrecy::ExposeSecret;

fn rules() -> impl Strategy<Value = PasswordRules> {
    let excluded = prop_oneof![Just("/@\"'\\:".to_owned()), "[ -~]{0,94}", any::<String>(),];
    let length = prop_oneof![
        0..12_usize,
        12..200_usize,
        Just(MAX_LENGTH),
        Just(MAX_LENGTH + 1)
    ];
    (excluded, length, any::<[bool; 5]>()).prop_map(|(exclude_characters, length, flags)| {
        PasswordRules {
            exclude_characters,
            length,
            exclude_numbers: flags[0],
            exclude_punctuation: flags[1],
            exclude_uppercase: flags[2],
            exclude_lowercase: flags[3],
            require_each_included_type: flags[4],
        }
    })
}

type IsOfType = fn(char) -> bool;

/// The four types, each with whether it may occur.
fn types(rules: &PasswordRules) -> [(bool, IsOfType); 4] {
    [
        (!rules.exclude_numbers, |c| c.is_ascii_digit()),
        (!rules.exclude_punctuation, |c| c.is_ascii_punctuation()),
        (!rules.exclude_uppercase, |c| c.is_ascii_uppercase()),
        (!rules.exclude_lowercase, |c| c.is_ascii_lowercase()),
    ]
}

proptest! {
    #[test]
    fn a_password_follows_its_rules_or_the_rules_are_refused(rules in rules()) {
        let left = |is: IsOfType| {
            (' '..='~').filter(|c| is(*c) && !rules.exclude_characters.contains(*c)).count()
        };
        let included: Vec<_> = types(&rules).into_iter().filter(|(on, is)| *on && left(*is) > 0).collect();
        let fits = (1..=MAX_LENGTH).contains(&rules.length)
            && !included.is_empty()
            && (!rules.require_each_included_type || rules.length >= included.len());
        match PasswordPolicy::new(&rules) {
            Err(faults) => {
                prop_assert!(!fits, "{:?}: {}", rules, faults);
                prop_assert!(!faults.faults().is_empty());
            }
            Ok(policy) => {
                prop_assert!(fits, "{:?}", rules);
                let password = policy.generate().expect("randomness");
                let password = password.expose_secret();
                prop_assert_eq!(password.chars().count(), rules.length);
                for (on, is) in types(&rules) {
                    let has = password.chars().any(is);
                    prop_assert!(on || !has, "a type that is left out");
                    if rules.require_each_included_type && on && left(is) > 0 {
                        prop_assert!(has, "a type that is required");
                    }
                }
                prop_assert!(!password.chars().any(|c| rules.exclude_characters.contains(c)));
                if rules.length >= 16 && included.iter().map(|(_, is)| left(*is)).sum::<usize>() > 8 {
                    let next = policy.generate().expect("randomness");
                    prop_assert_ne!(password, next.expose_secret());
                }
            }
        }
    }
}
