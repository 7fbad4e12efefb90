//! One initialised cluster per version, copied for each server.

use std::path::Path;

use super::PostgresInstall;
use super::server::SUPERUSER_PASSWORD;
use crate::scratch;
use crate::user::Account;

/// Raised whenever the options of `initdb` below change, so that an old cluster is not taken.
const FORMAT: u32 = 1;

/// Copies an initialised cluster to `data`, which must not exist yet. Blocks.
pub(super) fn copy_to(install: &PostgresInstall, account: Account, data: &Path) {
    let name = format!(
        "postgres-{}-{:016x}-{FORMAT}",
        install.major(),
        install.fingerprint()
    );
    let initialise = |folder: &Path| initialise(install, account, folder);
    scratch::copy_template(&name, account, initialise, data);
}

fn initialise(install: &PostgresInstall, account: Account, folder: &Path) {
    let password_file = folder.join("password");
    std::fs::write(&password_file, SUPERUSER_PASSWORD).expect("the folder is writable");
    let mut initdb = scratch::command(&install.program("initdb"), account);
    initdb
        .args(["--username=postgres", "--encoding=UTF8", "--no-locale"])
        .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
        // Small segments, so that there is little to copy.
        .args(["--no-sync", "--wal-segsize=1"])
        .arg(format!("--pwfile={}", password_file.display()))
        .arg(format!("--pgdata={}", folder.join("data").display()));
    scratch::run(&mut initdb);
}
