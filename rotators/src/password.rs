//! New passwords: the rules that they follow, and their generator.
//!
//! The rules are those of the `GetRandomPassword` call of Secrets Manager (AWS page
//! "`GetRandomPassword`", API reference), made here without the call: a rotation function needs no
//! right and no round trip for it. Randomness comes from the operating system, for every character.

use std::fmt;

use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use secrets_core::rotator::RotatorError;

/// What AWS's own rotation functions leave out of every password: characters that break connection
/// strings and shells.
pub const EXCLUDED_CHARACTERS: &str = "/@\"'\\";

/// The longest password that can be asked for, in characters.
pub const MAX_LENGTH: usize = 4096;

const UPPERCASE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWERCASE: &str = "abcdefghijklmnopqrstuvwxyz";
const NUMBERS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// The seven knobs of `GetRandomPassword`; the default is that of AWS's rotation functions.
///
/// Spaces are never included, as there.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a parameter of its own in the service's call"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Characters that no password holds; those outside ASCII never occur anyway.
    pub exclude_characters: String,
    /// In characters, 1 to [`MAX_LENGTH`].
    pub length: usize,
    /// Leaves out 0 to 9.
    pub exclude_numbers: bool,
    /// Leaves out the 32 punctuation characters of ASCII.
    pub exclude_punctuation: bool,
    /// Leaves out A to Z.
    pub exclude_uppercase: bool,
    /// Leaves out a to z.
    pub exclude_lowercase: bool,
    /// At least one character of each type that is not left out. A type of which
    /// `exclude_characters` leaves nothing counts as left out.
    pub require_each_included_type: bool,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self {
            exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
            length: 32,
            exclude_numbers: false,
            exclude_punctuation: false,
            exclude_uppercase: false,
            exclude_lowercase: false,
            require_each_included_type: true,
        }
    }
}

/// Rules that can be followed, ready to make passwords.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use secrecy::ExposeSecret;
///
/// let policy = PasswordPolicy::new(&PasswordRules { length: 40, ..PasswordRules::default() })?;
/// assert_eq!(policy.generate()?.expose_secret().len(), 40);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordPolicy {
    length: usize,
    alphabet: Vec<char>,
    /// The alphabets of which at least one character each occurs.
    required: Vec<Vec<char>>,
}

impl PasswordPolicy {
    /// Checks the rules.
    ///
    /// # Errors
    /// [`InvalidRules`] with everything that stands in the way of a password.
    pub fn new(rules: &PasswordRules) -> Result<Self, InvalidRules> {
        let types = [
            (UPPERCASE, rules.exclude_uppercase),
            (LOWERCASE, rules.exclude_lowercase),
            (NUMBERS, rules.exclude_numbers),
            (PUNCTUATION, rules.exclude_punctuation),
        ];
        let included: Vec<Vec<char>> = types
            .iter()
            .filter(|(_, excluded)| !excluded)
            .map(|(all, _)| {
                all.chars()
                    .filter(|character| !rules.exclude_characters.contains(*character))
                    .collect()
            })
            .filter(|left: &Vec<char>| !left.is_empty())
            .collect();

        let mut faults = Vec::new();
        if !(1..=MAX_LENGTH).contains(&rules.length) {
            faults.push(RulesFault::Length);
        } else if rules.require_each_included_type && rules.length < included.len() {
            faults.push(RulesFault::TooShort {
                types: included.len(),
            });
        }
        if included.is_empty() {
            faults.push(RulesFault::NothingLeft);
        }
        if !faults.is_empty() {
            return Err(InvalidRules(faults));
        }
        Ok(Self {
            length: rules.length,
            alphabet: included.concat(),
            required: if rules.require_each_included_type {
                included
            } else {
                Vec::new()
            },
        })
    }

    /// Makes a password.
    ///
    /// # Errors
    /// [`NoRandomness`] where the operating system gives none.
    pub fn generate(&self) -> Result<SecretString, NoRandomness> {
        self.generate_from(&mut SysRng)
    }

    fn generate_from<R: TryRng>(&self, random: &mut R) -> Result<SecretString, NoRandomness> {
        // Which alphabet each position draws from; the required ones go to random positions.
        let mut alphabets: Vec<&[char]> = self.required.iter().map(Vec::as_slice).collect();
        alphabets.resize(self.length, &self.alphabet);
        for last in (1..alphabets.len()).rev() {
            alphabets.swap(last, below(last + 1, random)?);
        }
        // All characters are ASCII: the buffer never grows, so no copy of it stays behind.
        let mut password = Zeroizing::new(String::with_capacity(self.length));
        for alphabet in alphabets {
            password.push(alphabet[below(alphabet.len(), random)?]);
        }
        Ok(SecretString::from(std::mem::take(&mut *password)))
    }
}

impl fmt::Debug for PasswordPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordPolicy")
            .field("length", &self.length)
            .field("characters", &self.alphabet.len())
            .field("required_types", &self.required.len())
            .finish()
    }
}

/// A number from 0 up to, not including, `bound`, all equally likely. `bound` is at most [`MAX_LENGTH`].
fn below<R: TryRng>(bound: usize, random: &mut R) -> Result<usize, NoRandomness> {
    let bound = u32::try_from(bound).unwrap_or(u32::MAX);
    // Draws past the last whole multiple of the bound would make small numbers more likely.
    let whole = u32::MAX - u32::MAX % bound;
    loop {
        let drawn = random.try_next_u32().map_err(|_| NoRandomness)?;
        if drawn < whole {
            return Ok((drawn % bound) as usize);
        }
    }
}

/// One thing that stands in the way of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RulesFault {
    /// The length is zero or above [`MAX_LENGTH`].
    Length,
    /// Fewer characters than types of which each must occur.
    TooShort {
        /// How many types there are.
        types: usize,
    },
    /// Every character is excluded.
    NothingLeft,
}

impl fmt::Display for RulesFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => write!(f, "the password length must be from 1 to {MAX_LENGTH}"),
            Self::TooShort { types } => write!(
                f,
                "the password length must be at least {types}, one for each included type of character"
            ),
            Self::NothingLeft => {
                f.write_str("every character is excluded from passwords: exclude fewer")
            }
        }
    }
}

/// Rules that no password can follow, with every fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRules(Vec<RulesFault>);

impl InvalidRules {
    /// The faults; at least one.
    pub fn faults(&self) -> &[RulesFault] {
        &self.0
    }
}

impl fmt::Display for InvalidRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&faults.join("; "))
    }
}

impl std::error::Error for InvalidRules {}

/// The operating system gave no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no randomness for a password; try again")]
pub struct NoRandomness;

impl From<NoRandomness> for RotatorError {
    fn from(fault: NoRandomness) -> Self {
        Self::unreachable(fault.to_string())
    }
}

#[cfg(test)]
mod tests;
