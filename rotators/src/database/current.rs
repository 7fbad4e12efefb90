//! Who is in use.

use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::{SecretReader, Version};
use tokio::time::timeout_at;

use super::Family;

/// The user that applications read, whose rights are the measure.
pub(crate) async fn current_user<R: SecretReader>(
    secrets: &R,
    family: &Family,
    cx: &Context,
) -> Result<String, RotatorError> {
    let read = secrets.get(cx.secret(), &Version::CURRENT);
    let current = timeout_at(cx.deadline(), read).await.map_err(|_| {
        RotatorError::unreachable(
            "the current version of the secret was not read in time; try again later",
        )
    })?;
    let current = current.map_err(|fault| {
        RotatorError::unreachable(format!(
            "the current version of the secret was not read: {fault}; try again later"
        ))
    })?;
    let current = (family.login)(&current.document).map_err(|fault| {
        RotatorError::misconfigured(format!("in the current version of the secret {fault}"))
    })?;
    Ok(current.username)
}
