//! Which two users take turns.

use secrets_core::rotator::RotatorError;

use super::credential::MongoDbCredential;
pub(super) use crate::database::pair::Partner;
pub use crate::database::{InvalidSuffix, PairSettings};

/// The user that takes turns with the one of a secret, in the same database.
pub(super) fn partner_of(
    credential: &MongoDbCredential,
    settings: &PairSettings,
) -> Result<Partner, RotatorError> {
    let login = &credential.user.login;
    let partner = Partner::of(login, &credential.usernames, &settings.suffix)?;
    match credential.longest_name {
        Some(longest) => partner.at_most(longest, "characters", |name| name.chars().count()),
        None => Ok(partner),
    }
}
