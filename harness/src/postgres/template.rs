//! One initialised cluster per version, shared by all test processes, and copied for each server.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::PostgresInstall;
use super::server::SUPERUSER_PASSWORD;
use crate::process;
use crate::user::Account;

/// Raised whenever the options of `initdb` below change, so that an old cluster is not taken.
const FORMAT: u32 = 1;

/// Copies an initialised cluster to `data`, which must not exist yet. Blocks.
pub(super) fn copy_to(install: &PostgresInstall, account: Account, data: &Path) {
    let mut copy = command(Path::new("/bin/cp"), account);
    copy.args(["-a", "--reflink=auto"]);
    run(copy.arg(template(install, account)).arg(data));
}

/// The folder of the initialised cluster, made now if this is the first use.
fn template(install: &PostgresInstall, account: Account) -> PathBuf {
    let name = format!(
        "secrets-rotation-harness-{}-{}-{:016x}-{FORMAT}",
        account.uid,
        install.major(),
        install.fingerprint()
    );
    let home = std::env::temp_dir().join(name);
    let data = home.join("data");

    // Test processes start at the same moment: one initialises, the others wait for it. The
    // rename makes a cluster visible only once it is complete, should its maker be killed.
    let lock = File::create(home.with_extension("lock")).expect("temporary files can be made");
    lock.lock().expect("temporary files can be locked");
    if !data.exists() {
        let work = temporary_folder("secrets-rotation-initdb-", account);
        initialise(install, account, work.path());
        std::fs::rename(work.keep(), &home).expect("nobody else makes this folder");
    }
    // The name can be guessed, and the temporary directory is open to all.
    let owner = std::fs::metadata(&data).expect("was just made").uid();
    assert_eq!(owner, account.uid, "{} is not ours", home.display());
    data
}

fn initialise(install: &PostgresInstall, account: Account, folder: &Path) {
    let password_file = folder.join("password");
    std::fs::write(&password_file, SUPERUSER_PASSWORD).expect("the folder is writable");
    let mut initdb = command(&install.program("initdb"), account);
    initdb
        .args(["--username=postgres", "--encoding=UTF8", "--no-locale"])
        .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
        // Small segments, so that there is little to copy.
        .args(["--no-sync", "--wal-segsize=1"])
        .arg(format!("--pwfile={}", password_file.display()))
        .arg(format!("--pgdata={}", folder.join("data").display()));
    run(&mut initdb);
}

/// A new folder in the temporary directory that belongs to `account`.
pub(super) fn temporary_folder(prefix: &str, account: Account) -> tempfile::TempDir {
    let folder = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .expect("temporary folders can be made");
    account.own_path(folder.path());
    folder
}

fn command(program: &Path, account: Account) -> Command {
    process::command(program, account, "KILL").into_std()
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
