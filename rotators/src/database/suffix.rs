//! How the second of two users is named.

/// How the users of a pair are named.
///
/// ```
/// use rotators::mysql::PairSettings;
///
/// let pair = PairSettings::with_suffix("_b")?;
/// assert_ne!(pair, PairSettings::default());
/// # Ok::<(), rotators::mysql::InvalidSuffix>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairSettings {
    pub(crate) suffix: String,
}

/// A suffix that makes no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the suffix of the second user must be 1 to 16 characters long, without control characters"
)]
pub struct InvalidSuffix;

impl PairSettings {
    /// The second user is named like the first, and this at the end. Default: `_clone`, as AWS's functions
    /// have it.
    ///
    /// # Errors
    /// [`InvalidSuffix`].
    pub fn with_suffix(suffix: &str) -> Result<Self, InvalidSuffix> {
        if suffix.is_empty() || suffix.chars().count() > 16 || suffix.chars().any(char::is_control)
        {
            return Err(InvalidSuffix);
        }
        Ok(Self {
            suffix: suffix.to_owned(),
        })
    }
}

impl Default for PairSettings {
    fn default() -> Self {
        Self {
            suffix: "_clone".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_that_makes_no_name_is_refused() {
        for bad in ["", "a\0b", "a\nb", &"x".repeat(17)] {
            assert_eq!(PairSettings::with_suffix(bad), Err(InvalidSuffix));
        }
        assert!(PairSettings::with_suffix(&"é".repeat(16)).is_ok());
    }
}
