//! Whom child processes run as: `PostgreSQL` refuses to run as root.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// An account for server processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Whether processes have to be switched to this account.
    switch: bool,
}

impl Account {
    /// The account this process runs as.
    pub(crate) fn own() -> Self {
        let me = std::fs::metadata("/proc/self").expect("Linux has /proc/self");
        Self {
            uid: me.uid(),
            gid: me.gid(),
            switch: false,
        }
    }

    /// An account without privileges: `postgres` or else `nobody` for root, otherwise one's own.
    pub(crate) fn unprivileged() -> Self {
        static FOUND: OnceLock<Account> = OnceLock::new();
        *FOUND.get_or_init(|| {
            let own = Self::own();
            if own.uid == 0 {
                Self::named("postgres")
                    .or_else(|| Self::named("nobody"))
                    .expect("as root an account `postgres` or `nobody` is needed")
            } else {
                own
            }
        })
    }

    fn named(name: &str) -> Option<Self> {
        let id = |flag: &str| -> Option<u32> {
            let output = Command::new("id").args([flag, name]).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        Some(Self {
            uid: id("-u")?,
            gid: id("-g")?,
            switch: true,
        })
    }

    /// The options of `setpriv` that switch to this account; none if there is nothing to switch.
    pub(crate) fn setpriv_options(self) -> Vec<String> {
        if !self.switch {
            return Vec::new();
        }
        vec![
            format!("--reuid={}", self.uid),
            format!("--regid={}", self.gid),
            "--clear-groups".to_owned(),
        ]
    }

    /// Gives a file or folder to this account.
    pub(crate) fn own_path(self, path: &Path) {
        if self.switch {
            std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
                .unwrap_or_else(|error| panic!("cannot give away {}: {error}", path.display()));
        }
    }
}
