//! Finding server programs.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::{process, workspace};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    Redis,
    Valkey,
}

impl Product {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Redis => "Redis",
            Self::Valkey => "Valkey",
        }
    }

    /// The server program, and what it says of its version. Searched, in this order: the program
    /// named in `REDIS_SERVER` or `VALKEY_SERVER`, then the PATH, then `.tools` of the workspace.
    ///
    /// # Panics
    /// If there is none; the message says how to get it.
    pub(super) fn find(self) -> (PathBuf, String) {
        let (variable, program, folder, package) = match self {
            Self::Redis => ("REDIS_SERVER", "redis-server", "redis", "redis-server"),
            Self::Valkey => ("VALKEY_SERVER", "valkey-server", "valkey", "valkey-server"),
        };
        let named = std::env::var_os(variable).map(PathBuf::from);
        let found = named
            .or_else(|| process::search_path(OsStr::new(program)))
            .unwrap_or_else(|| workspace::tools().join(folder).join("bin").join(program));
        let answer = Command::new(&found).arg("--version").output();
        let version = answer.ok().filter(|answer| answer.status.success());
        let version = version.and_then(|answer| String::from_utf8(answer.stdout).ok());
        let version = version.unwrap_or_else(|| {
            panic!(
                "a {} server is needed and was not found: get it with `./test --setup` or \
                 `apt-get install {package}`, or name the program in {variable}",
                self.name()
            )
        });
        (found, version.trim().to_owned())
    }
}
