use std::collections::BTreeSet;

use secrecy::ExposeSecret;

use super::*;

/// All letters, digits and punctuation of ASCII: what can be excluded.
fn printable() -> impl Iterator<Item = char> {
    ('!'..='~').filter(char::is_ascii_graphic)
}

fn generate(policy: &PasswordPolicy) -> String {
    let password = policy.generate().expect("the system has randomness");
    password.expose_secret().to_owned()
}

fn rules(length: usize) -> PasswordRules {
    PasswordRules {
        length,
        ..PasswordRules::default()
    }
}

#[test]
fn the_types_are_those_of_get_random_password() {
    let types = [UPPERCASE, LOWERCASE, NUMBERS, PUNCTUATION].concat();
    let all: BTreeSet<char> = types.chars().collect();
    assert_eq!(all.len(), types.len(), "no character twice");
    assert_eq!(all, printable().collect());
    assert!(PUNCTUATION.chars().all(|c| c.is_ascii_punctuation()));
}

#[test]
fn the_default_is_that_of_aws_functions() {
    let policy = PasswordPolicy::new(&PasswordRules::default()).expect("the default");
    let password = generate(&policy);
    assert_eq!(password.len(), 32);
    assert!(!password.contains(['/', '@', '"', '\'', '\\', ' ']));
    assert_ne!(password, generate(&policy));
}

#[test]
fn every_policy_is_followed() {
    for length in [4, 5, 8, 32, 129, MAX_LENGTH] {
        for excluded_types in 0..15_u8 {
            for exclude_characters in ["", EXCLUDED_CHARACTERS, "aA0!ü☃", "0123456789"] {
                let rules = PasswordRules {
                    exclude_characters: exclude_characters.to_owned(),
                    length,
                    exclude_numbers: excluded_types & 1 != 0,
                    exclude_punctuation: excluded_types & 2 != 0,
                    exclude_uppercase: excluded_types & 4 != 0,
                    exclude_lowercase: excluded_types & 8 != 0,
                    require_each_included_type: true,
                };
                // Digits both as a type of their own and as excluded characters: nothing is left.
                if excluded_types == 0b1110 && exclude_characters == "0123456789" {
                    assert!(PasswordPolicy::new(&rules).is_err());
                    continue;
                }
                let password = generate(&PasswordPolicy::new(&rules).expect("can be followed"));
                assert_eq!(password.len(), length, "{rules:?}");
                assert!(
                    !password.contains(|c| exclude_characters.contains(c)),
                    "{rules:?}"
                );
                for (all, excluded) in [
                    (NUMBERS, rules.exclude_numbers),
                    (PUNCTUATION, rules.exclude_punctuation),
                    (UPPERCASE, rules.exclude_uppercase),
                    (LOWERCASE, rules.exclude_lowercase),
                ] {
                    let emptied = all.chars().all(|c| exclude_characters.contains(c));
                    let occurs = password.contains(|c| all.contains(c));
                    assert_eq!(occurs, !(excluded || emptied), "{rules:?}: {all}");
                }
            }
        }
    }
}

#[test]
fn without_the_requirement_types_may_be_absent() {
    let one = PasswordRules {
        require_each_included_type: false,
        ..rules(1)
    };
    assert_eq!(
        generate(&PasswordPolicy::new(&one).expect("can be")).len(),
        1
    );
}

#[test]
fn every_character_occurs_at_every_position() {
    let all = PasswordRules {
        exclude_characters: String::new(),
        ..rules(8)
    };
    let policy = PasswordPolicy::new(&all).expect("can be followed");
    let mut seen = vec![BTreeSet::new(); 8];
    // A character misses a position with a probability below 0.992^5000, that is e^-40.
    for _ in 0..5000 {
        for (position, character) in generate(&policy).chars().enumerate() {
            seen[position].insert(character);
        }
    }
    for at_position in seen {
        assert_eq!(at_position, printable().collect());
    }
}

#[test]
fn required_types_fill_the_shortest_password() {
    let policy = PasswordPolicy::new(&rules(4)).expect("four types");
    let first: BTreeSet<usize> = (0..500)
        .map(|_| {
            let password = generate(&policy);
            let digit = password.find(|c: char| c.is_ascii_digit());
            digit.expect("a digit is required")
        })
        .collect();
    assert_eq!(first, BTreeSet::from([0, 1, 2, 3]), "at random positions");
}

#[test]
fn all_faults_are_named_at_once() {
    let nothing = PasswordRules {
        exclude_characters: printable().collect(),
        ..rules(0)
    };
    let fault = PasswordPolicy::new(&nothing).expect_err("two faults");
    assert_eq!(
        fault.faults(),
        [RulesFault::Length, RulesFault::NothingLeft]
    );
    assert_eq!(
        fault.to_string(),
        "the password length must be from 1 to 4096; every character is excluded from passwords: \
         exclude fewer"
    );
    for (length, fault) in [
        (3, Some(RulesFault::TooShort { types: 4 })),
        (4, None),
        (MAX_LENGTH, None),
        (MAX_LENGTH + 1, Some(RulesFault::Length)),
    ] {
        let found = PasswordPolicy::new(&rules(length)).err();
        assert_eq!(found.map(|found| found.faults()[0]), fault, "{length}");
    }
    assert_eq!(
        RulesFault::TooShort { types: 4 }.to_string(),
        "the password length must be at least 4, one for each included type of character"
    );
    let excluded = PasswordRules {
        exclude_numbers: true,
        exclude_punctuation: true,
        exclude_uppercase: true,
        exclude_lowercase: true,
        ..rules(8)
    };
    let fault = PasswordPolicy::new(&excluded).expect_err("no type is left");
    assert_eq!(fault.faults(), [RulesFault::NothingLeft]);
}

/// Gives the numbers it holds, then fails.
struct Scripted(Vec<u32>);

impl TryRng for Scripted {
    type Error = std::io::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.0.pop().ok_or_else(|| std::io::Error::other("empty"))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(std::io::Error::other("not asked for"))
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(std::io::Error::other("not asked for"))
    }
}

#[test]
fn a_source_that_fails_is_an_error() {
    let policy = PasswordPolicy::new(&rules(32)).expect("can be followed");
    for draws in [0, 31, 32, 62] {
        let result = policy.generate_from(&mut Scripted(vec![7; draws]));
        assert_eq!(result.err(), Some(NoRandomness), "after {draws} draws");
    }
    assert!(policy.generate_from(&mut Scripted(vec![7; 63])).is_ok());
}

#[test]
fn draws_that_would_favour_small_numbers_are_drawn_again() {
    // 2^32 - 1 is a multiple of 3 and of 5: only itself lies past the last whole multiple.
    for (bound, most) in [(3, 2), (5, 4)] {
        let drawn = below(bound, &mut Scripted(vec![most, u32::MAX]));
        assert_eq!(drawn, Ok(bound - 1));
    }
    assert_eq!(below(94, &mut Scripted(vec![93, 4_294_967_254])), Ok(93));
    assert_eq!(below(1, &mut Scripted(vec![12])), Ok(0));
}

/// The buffer of a password has a byte for each: were there more, it would grow and leave a copy.
#[test]
fn every_character_has_one_byte() {
    let all = PasswordRules {
        exclude_characters: "☃".to_owned(),
        ..rules(32)
    };
    let policy = PasswordPolicy::new(&all).expect("can be followed");
    assert_eq!(policy.alphabet.len(), 94);
    assert!(policy.alphabet.iter().all(char::is_ascii));
}
