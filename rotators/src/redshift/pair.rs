//! Which two users take turns.

use secrets_core::rotator::RotatorError;

use super::credential::RedshiftCredential;
pub(super) use crate::database::pair::Partner;
pub use crate::database::{InvalidSuffix, PairSettings};

/// The user that takes turns with the one of a secret.
pub(super) fn partner_of(
    credential: &RedshiftCredential,
    settings: &PairSettings,
) -> Result<Partner, RotatorError> {
    credential.0.partner(&settings.suffix)
}
