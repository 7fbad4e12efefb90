//! One initialised data folder per version, copied for each server.

use std::path::Path;

use super::Edition;
use crate::scratch;
use crate::user::Account;

/// Raised whenever the way of initialising changes, so that an old folder is not taken.
const FORMAT: u32 = 1;

/// Copies an initialised data folder to `data`, which must not exist yet. Blocks.
pub(super) fn copy_to<E: Edition>(program: &Path, version: &str, account: Account, data: &Path) {
    let fingerprint = scratch::fingerprint(program, version);
    let kind = E::NAME.to_lowercase();
    let name = format!("{kind}-{fingerprint:016x}-{FORMAT}");
    let command = |program: &Path| scratch::command(program, account);
    let initialise = |folder: &Path| E::initialise(program, folder, &command);
    scratch::copy_template(&name, account, initialise, data);
}
