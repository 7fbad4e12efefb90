//! Which two users take turns.

use secrets_core::rotator::RotatorError;

use super::credential::{MAX_NAME_BYTES, RedshiftCredential};
pub(super) use crate::database::pair::Partner;

/// How the users of a pair are named.
///
/// ```
/// use rotators::redshift::PairSettings;
///
/// let pair = PairSettings::with_suffix("_b")?;
/// assert_ne!(pair, PairSettings::default());
/// # Ok::<(), rotators::redshift::InvalidSuffix>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairSettings {
    suffix: String,
}

/// A suffix that makes no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the suffix of the second user must be 1 to 32 bytes long, without a zero byte")]
pub struct InvalidSuffix;

impl PairSettings {
    /// The second user is named like the first, and this at the end. Default: `_clone`, as AWS's functions
    /// have it.
    ///
    /// # Errors
    /// [`InvalidSuffix`].
    pub fn with_suffix(suffix: &str) -> Result<Self, InvalidSuffix> {
        if suffix.is_empty() || suffix.len() > 32 || suffix.contains('\0') {
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

/// The user that takes turns with the one of a secret.
pub(super) fn partner_of(
    credential: &RedshiftCredential,
    settings: &PairSettings,
) -> Result<Partner, RotatorError> {
    Partner::of(&credential.login, &credential.usernames, &settings.suffix)?.at_most(
        MAX_NAME_BYTES,
        "bytes",
        str::len,
    )
}
