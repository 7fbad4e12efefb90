//! What Redshift wants of passwords, and how they are sent (AWS page "CREATE USER").

use std::fmt;

use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;

use super::credential::Login;
use crate::password::{PasswordPolicy, PasswordRules};
use crate::postgres_wire::{Ident, Literal, Session, Sql};

/// What no password holds. AWS's page on ALTER USER had the colon among them, too; taken it is.
const FORBIDDEN: &str = "'\"\\/@";

/// As what kind of hash Redshift keeps a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordHash {
    /// As it keeps the present one, which shows at the login: clients that can log in today can do so
    /// tomorrow.
    #[default]
    Same,
    /// As an MD5 hash, which the statement holds instead of the password. Every client can log in with it, and
    /// it is what AWS's function leaves behind.
    Md5,
    /// As a SHA-256 hash. The statement holds the password in clear, inside the encrypted connection: the
    /// server chooses the salt. Clients must know Redshift's own login: AWS's drivers do, those for
    /// `PostgreSQL` do not.
    Sha256,
}

impl PasswordHash {
    /// The same, where it depends on the present one, decided by a login with that.
    pub(super) fn seen_by(self, session: &Session) -> Self {
        match self {
            Self::Same if session.asked_for_digest() => Self::Sha256,
            Self::Same => Self::Md5,
            chosen => chosen,
        }
    }
}

/// The statement that gives a user its password, and the date until which it is valid.
pub(super) fn alter(wanted: &Login, hash: PasswordHash, valid_until: Option<&str>) -> Sql {
    let password = wanted.password.expose_secret();
    let sent = Zeroizing::new(match hash {
        PasswordHash::Sha256 => {
            let mut sent = String::with_capacity(7 + password.len());
            sent.push_str("sha256|");
            sent.push_str(password);
            sent
        }
        PasswordHash::Md5 | PasswordHash::Same => {
            postgres_protocol::password::md5(password.as_bytes(), &wanted.username)
        }
    });
    let statement = Sql::new("ALTER USER ")
        .ident(Ident(&wanted.username))
        .text(" PASSWORD ")
        .escaped(Literal(&sent));
    match valid_until {
        Some(until) => statement.text(" VALID UNTIL ").escaped(Literal(until)),
        None => statement,
    }
}

/// Rules with which there may be passwords that Redshift does not take, with every fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsuitableRules(Vec<&'static str>);

impl fmt::Display for UnsuitableRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for UnsuitableRules {}

/// A policy whose every password Redshift takes.
pub(super) fn policy(rules: &PasswordRules) -> Result<PasswordPolicy, UnsuitableRules> {
    let mut rules = rules.clone();
    let mut faults = Vec::new();
    if !(8..=64).contains(&rules.length) {
        faults.push("Redshift takes passwords of 8 to 64 characters: change the length");
    }
    if !rules.require_each_included_type {
        faults.push(
            "Redshift wants an upper-case letter, a lower-case letter and a digit in every password: require \
             each included type",
        );
    }
    let left = |mut of: std::ops::RangeInclusive<char>| {
        of.any(|character| !rules.exclude_characters.contains(character))
    };
    for (excluded, left, fault) in [
        (
            rules.exclude_uppercase,
            left('A'..='Z'),
            "Redshift wants an upper-case letter in every password: exclude fewer",
        ),
        (
            rules.exclude_lowercase,
            left('a'..='z'),
            "Redshift wants a lower-case letter in every password: exclude fewer",
        ),
        (
            rules.exclude_numbers,
            left('0'..='9'),
            "Redshift wants a digit in every password: exclude fewer",
        ),
    ] {
        if excluded || !left {
            faults.push(fault);
        }
    }
    if !faults.is_empty() {
        return Err(UnsuitableRules(faults));
    }
    rules.exclude_characters.push_str(FORBIDDEN);
    PasswordPolicy::new(&rules).map_err(|_| UnsuitableRules(vec!["no password fits the rules"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(username: &str, password: &str) -> Login {
        Login {
            username: username.to_owned(),
            password: password.into(),
        }
    }

    #[test]
    fn an_md5_hash_is_that_of_awss_page() {
        // The example of the page "CREATE USER".
        let sql = alter(&login("user1", "ez"), PasswordHash::Md5, None);
        assert_eq!(
            sql.expose(),
            "ALTER USER \"user1\" PASSWORD 'md5153c434b4b77c89e6b94f12c5393af5b'"
        );
    }

    #[test]
    fn a_sha_256_password_is_hashed_by_the_server() {
        let until = Some("2030-01-02 03:04:05+00");
        let sql = alter(&login("a\"b", "Pass|wort1"), PasswordHash::Sha256, until);
        assert_eq!(
            sql.expose(),
            "ALTER USER \"a\"\"b\" PASSWORD 'sha256|Pass|wort1' VALID UNTIL '2030-01-02 03:04:05+00'"
        );
    }

    #[test]
    fn every_password_is_one_that_redshift_takes() {
        let rules = PasswordRules {
            exclude_characters: String::new(),
            length: 8,
            ..PasswordRules::default()
        };
        let policy = policy(&rules).expect("rules");
        for _ in 0..2000 {
            let password = policy.generate().expect("randomness");
            let password = password.expose_secret();
            assert_eq!(password.len(), 8);
            assert!(password.bytes().all(|byte| (33..=126).contains(&byte)));
            assert!(!password.contains(|c| FORBIDDEN.contains(c)), "{password}");
            for kind in [char::is_uppercase, char::is_lowercase, |c: char| {
                c.is_ascii_digit()
            }] {
                assert!(password.contains(kind), "{password}");
            }
        }
    }

    #[test]
    fn rules_that_contradict_those_of_redshift_are_refused() {
        type Change = fn(&mut PasswordRules);
        let changes: [(Change, &str); 8] = [
            (|it| it.length = 7, "8 to 64"),
            (|it| it.length = 65, "8 to 64"),
            (|it| it.exclude_numbers = true, "a digit"),
            (|it| it.exclude_uppercase = true, "an upper-case letter"),
            (|it| it.exclude_lowercase = true, "a lower-case letter"),
            (|it| it.exclude_characters.push_str("0123456789"), "a digit"),
            (
                |it| it.require_each_included_type = false,
                "each included type",
            ),
            (|it| it.length = 0, "8 to 64"),
        ];
        for (change, words) in changes {
            let mut rules = PasswordRules::default();
            change(&mut rules);
            let fault = policy(&rules).expect_err(words).to_string();
            assert!(fault.contains(words), "{fault}");
        }
        let mut rules = PasswordRules {
            exclude_punctuation: true,
            ..PasswordRules::default()
        };
        assert!(policy(&rules).is_ok());
        rules.length = 64;
        assert!(policy(&rules).is_ok());
    }
}
