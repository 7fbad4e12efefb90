//! The part of `regex` that `mysql_common` calls, on top of `regex-lite`.
//!
//! The `MySQL` driver matches a server's version, a PEM block and dates in text, and brings a megabyte of regular
//! expressions for that, which none of its features switches off. `regex-lite` is by the same authors, is
//! linked anyway (the AWS SDK uses it), and understands those patterns. The workspace's `Cargo.toml` puts this
//! crate in the place of the real one; whoever depends on `rotators` from elsewhere has the real one.
//!
//! Two differences, both to the good here: `\d` means the ten ASCII digits (the driver panics on others), and
//! what is not UTF-8 matches nothing.

/// Patterns over bytes.
pub mod bytes {
    use std::str;

    pub use regex_lite::Error;

    /// A compiled pattern.
    #[derive(Clone, Debug)]
    pub struct Regex(regex_lite::Regex);

    /// The groups of a match.
    #[derive(Debug)]
    pub struct Captures<'h>(regex_lite::Captures<'h>);

    /// What a group has matched.
    #[derive(Clone, Copy, Debug)]
    pub struct Match<'h>(regex_lite::Match<'h>);

    impl Regex {
        /// Compiles a pattern.
        ///
        /// # Errors
        /// The pattern is none that `regex-lite` understands.
        pub fn new(pattern: &str) -> Result<Self, Error> {
            regex_lite::Regex::new(pattern).map(Self)
        }

        /// Whether the pattern matches anywhere.
        pub fn is_match(&self, haystack: &[u8]) -> bool {
            str::from_utf8(haystack).is_ok_and(|text| self.0.is_match(text))
        }

        /// The groups of the first match.
        pub fn captures<'h>(&self, haystack: &'h [u8]) -> Option<Captures<'h>> {
            let text = str::from_utf8(haystack).ok()?;
            self.0.captures(text).map(Captures)
        }
    }

    impl<'h> Captures<'h> {
        /// A group by its number; 0 is the whole match.
        pub fn get(&self, group: usize) -> Option<Match<'h>> {
            self.0.get(group).map(Match)
        }
    }

    impl<'h> Match<'h> {
        /// What was matched.
        pub fn as_bytes(&self) -> &'h [u8] {
            self.0.as_str().as_bytes()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bytes::Regex;

    /// Every pattern of `mysql_common` 0.37: a text that it is for, and what its groups then hold.
    const PATTERNS: [(&str, &str, &[&str]); 11] = [
        (
            r"^(?:5.5.5-)?(\d{1,2})\.(\d{1,2})\.(\d{1,3})-MariaDB",
            "5.5.5-10.11.14-MariaDB-0+deb12u2",
            &["10", "11", "14"],
        ),
        (
            r"^(\d{1,2})\.(\d{1,2})\.(\d{1,3})(.*)",
            "8.0.36-28.1",
            &["8", "0", "36", "-28.1"],
        ),
        (
            "-----BEGIN RSA PUBLIC KEY-----([^-]*)-----END RSA PUBLIC KEY-----",
            "-----BEGIN RSA PUBLIC KEY-----\nMIIB\nAB==\n-----END RSA PUBLIC KEY-----\n",
            &["\nMIIB\nAB==\n"],
        ),
        (
            "-----BEGIN PUBLIC KEY-----([^-]*)-----END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
            &["\nMIIB\n"],
        ),
        (r"^\d{4}-\d{2}-\d{2}$", "2026-11-22", &[]),
        (
            r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$",
            "2026-11-22 10:11:12",
            &[],
        ),
        (
            r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{1,6}$",
            "2026-11-22 10:11:12.123456",
            &[],
        ),
        (r"^\d{2}:[0-5]\d:[0-5]\d$", "10:11:12", &[]),
        (r"^\d{2}:[0-5]\d:[0-5]\d\.\d{1,6}$", "10:11:12.5", &[]),
        (r"^[0-8]\d\d:[0-5]\d:[0-5]\d$", "838:59:59", &[]),
        (
            r"^[0-8]\d\d:[0-5]\d:[0-5]\d\.\d{1,6}$",
            "838:59:59.000000",
            &[],
        ),
    ];

    #[test]
    fn the_patterns_of_the_driver_match_what_they_are_for() {
        for (pattern, text, groups) in PATTERNS {
            let regex = Regex::new(pattern).unwrap();
            assert!(regex.is_match(text.as_bytes()), "{pattern}");
            let captures = regex.captures(text.as_bytes()).unwrap();
            let mut found = (1..).map_while(|group| captures.get(group));
            for group in groups {
                assert_eq!(
                    found.next().unwrap().as_bytes(),
                    group.as_bytes(),
                    "{pattern}"
                );
            }
            assert!(found.next().is_none(), "{pattern}");
        }
    }

    #[test]
    fn the_patterns_match_nothing_else() {
        for (pattern, text, _) in PATTERNS {
            let regex = Regex::new(pattern).unwrap();
            for other in [b"".as_slice(), b"\xff\xfe", "٣.١.١-MariaDB".as_bytes()] {
                assert!(!regex.is_match(other), "{pattern}");
            }
            let mut broken = text.as_bytes().to_vec();
            broken.push(0xff);
            assert!(regex.captures(&broken).is_none(), "{pattern}");
        }
    }
}
