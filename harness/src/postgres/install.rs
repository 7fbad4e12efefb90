//! Finding server programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{process, scratch, workspace};

/// `PostgreSQL` server programs of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresInstall {
    bin: PathBuf,
    major: u32,
    version: String,
}

impl PostgresInstall {
    /// Every version found, each folder once. Searched, in this order: the folders named in
    /// `POSTGRES_BIN_DIRS` (separated by colons), `.tools/postgres-*/bin` of the workspace,
    /// `/usr/lib/postgresql/*/bin`, and the PATH.
    pub fn find_all() -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for folder in candidates() {
            if let Some(install) = Self::in_folder(&folder)
                && !found.contains(&install)
            {
                found.push(install);
            }
        }
        found
    }

    /// The first one of that major version.
    ///
    /// # Panics
    /// If there is none; the message holds the command that installs it.
    pub fn find(major: u32) -> Self {
        Self::find_all()
            .into_iter()
            .find(|install| install.major == major)
            .unwrap_or_else(|| {
                panic!(
                    "PostgreSQL {major} server programs are needed and were not found. Install \
                     them with `./test --setup` or `apt-get install postgresql-{major}`, or name \
                     their folder in POSTGRES_BIN_DIRS."
                )
            })
    }

    /// The first one found, of whatever version.
    ///
    /// # Panics
    /// If there is none; the message holds the command that installs it.
    pub fn any() -> Self {
        Self::find_all().into_iter().next().unwrap_or_else(|| {
            panic!(
                "PostgreSQL server programs are needed and were not found. Install them with \
                 `./test --setup` or `apt-get install postgresql-15`, or name their folder in \
                 POSTGRES_BIN_DIRS."
            )
        })
    }

    /// The major version, such as 18.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// What `postgres --version` says.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The full path of one of its programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// A number that changes with the programs.
    pub(super) fn fingerprint(&self) -> u64 {
        scratch::fingerprint(&self.program("postgres"), &self.version)
    }

    fn in_folder(folder: &Path) -> Option<Self> {
        // Links are followed: a server finds its other files relative to its own path.
        let program = folder.join("postgres").canonicalize().ok()?;
        let bin = program.parent()?.to_owned();
        if !bin.join("initdb").is_file() {
            return None;
        }
        let answer = Command::new(&program).arg("--version").output().ok()?;
        let version = String::from_utf8(answer.stdout).ok()?.trim().to_owned();
        let number = version.strip_prefix("postgres (PostgreSQL) ")?;
        let digits = number.split(|character: char| !character.is_ascii_digit());
        let major = digits.into_iter().next()?.parse().ok()?;
        Some(Self {
            bin,
            major,
            version,
        })
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    if let Some(named) = std::env::var_os("POSTGRES_BIN_DIRS") {
        folders.extend(std::env::split_paths(&named));
    }
    folders.extend(versions_in(&workspace::tools(), "postgres-"));
    folders.extend(versions_in(Path::new("/usr/lib/postgresql"), ""));
    let on_path = process::search_path(OsStr::new("postgres"));
    folders.extend(on_path.and_then(|program| Some(program.parent()?.to_owned())));
    folders
}

/// The `bin` folders of the versions in `folder`, newest first.
fn versions_in(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.into_iter().map(|(_, bin)| bin).collect()
}
