//! Folders of servers: one initialised data folder per program, copied for each server.

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::process;
use crate::user::Account;

/// How the folder names of all servers begin.
const PREFIX: &str = "secrets-rotation-";

/// A file system in memory.
const MEMORY: &str = "/dev/shm";

/// What must be free there: more than the servers of a whole test run need at once, in bytes.
const ROOM: u64 = 2 << 30;

/// A number that changes with the program: its path, its version, the time of its last change.
pub(crate) fn fingerprint(program: &Path, version: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (program, version).hash(&mut hasher);
    let metadata = std::fs::metadata(program);
    let modified = metadata.and_then(|metadata| metadata.modified()).ok();
    modified.hash(&mut hasher);
    hasher.finish()
}

/// A new folder for one server. Also removes those of test processes that were killed before they
/// could do so themselves. Blocks.
pub(crate) fn server_folder(kind: &str, account: Account) -> TempDir {
    let prefix = format!("{PREFIX}{kind}-");
    let place = place();
    remove_left_behind(place, &prefix);
    let prefix = format!("{prefix}{}-", std::process::id());
    temporary_folder(place, &prefix, account)
}

/// Where the folders of servers are made: in memory, if there is room. A server has a thousand files, and
/// ext4 searches long for an inode where as many were just removed. `TMPDIR` names another place.
fn place() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        if std::env::var_os("TMPDIR").is_none() && free_bytes(MEMORY) >= Some(ROOM) {
            MEMORY.into()
        } else {
            std::env::temp_dir()
        }
    })
}

/// What is free in a file system, if there is one there.
fn free_bytes(path: &str) -> Option<u64> {
    let mut stat = Command::new("stat");
    let output = stat
        .args(["--file-system", "--format=%a %S", path])
        .output();
    let output = String::from_utf8(output.ok()?.stdout).ok()?;
    let (blocks, size) = output.trim().split_once(' ')?;
    blocks.parse::<u64>().ok()?.checked_mul(size.parse().ok()?)
}

fn remove_left_behind(place: &Path, prefix: &str) {
    let entries = std::fs::read_dir(place);
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| {
            let (process, _) = name.strip_prefix(prefix)?.split_once('-')?;
            process.parse::<u32>().ok()
        });
        if owner.is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists()) {
            // Another test process may be removing it, too.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Copies the initialised data of that name (no dots) to `data`, which must not exist yet. `initialise` is
/// called on the first use only, with a folder in which it makes `data`. Blocks.
pub(crate) fn copy_template(
    name: &str,
    account: Account,
    initialise: impl FnOnce(&Path),
    data: &Path,
) {
    copy(&template(name, account, initialise), account, data);
}

/// Copies a folder of the account to a path that must not exist yet. Blocks.
pub(crate) fn copy(folder: &Path, account: Account, to: &Path) {
    let mut copy = command(Path::new("/bin/cp"), account);
    copy.args(["-a", "--reflink=auto"]);
    run(copy.arg(folder).arg(to));
}

/// The folder of the initialised data, shared by all test processes.
fn template(name: &str, account: Account, initialise: impl FnOnce(&Path)) -> PathBuf {
    let name = format!("{PREFIX}harness-{}-{name}", account.uid);
    let home = std::env::temp_dir().join(name);
    let data = home.join("data");

    // Test processes start at the same moment: one initialises, the others wait for it. The
    // rename makes the data visible only once they are complete, should their maker be killed.
    let lock = File::create(home.with_extension("lock")).expect("temporary files can be made");
    lock.lock().expect("temporary files can be locked");
    if !data.exists() {
        let prefix = format!("{PREFIX}initialise-");
        let work = temporary_folder(&std::env::temp_dir(), &prefix, account);
        initialise(work.path());
        std::fs::rename(work.keep(), &home).expect("nobody else makes this folder");
    }
    // The name can be guessed, and the temporary directory is open to all.
    let owner = std::fs::metadata(&data).expect("was just made").uid();
    assert_eq!(owner, account.uid, "{} is not ours", home.display());
    data
}

/// A new folder in `place` that belongs to `account`.
fn temporary_folder(place: &Path, prefix: &str, account: Account) -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in(place)
        .expect("temporary folders can be made");
    account.own_path(folder.path());
    folder
}

/// A command that runs to its end as `account`, and dies with this process.
pub(crate) fn command(program: &Path, account: Account) -> Command {
    process::command(program, account, "KILL").into_std()
}

/// Runs a command that must succeed.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
