//! Finding the broker.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::process;

/// Below it Debian has one folder a version.
const PACKAGED: &str = "/usr/lib/rabbitmq/lib";

/// Where the broker's code lies, and what runs it.
#[derive(Clone, Debug)]
pub(super) struct Installation {
    /// `rabbitmq_server-VERSION`, which has a folder `plugins`.
    pub(super) home: PathBuf,
    /// The folder of the application itself.
    pub(super) code: PathBuf,
    pub(super) erl: PathBuf,
    pub(super) version: String,
}

impl Installation {
    /// The one in `RABBITMQ_HOME`, else the distribution's.
    ///
    /// # Panics
    /// If there is none; the message says how to get it.
    pub(super) fn find() -> Self {
        let home = std::env::var_os("RABBITMQ_HOME").map(PathBuf::from);
        let home = home.or_else(|| newest(Path::new(PACKAGED), "rabbitmq_server-"));
        let found = home.and_then(|home| {
            let code = newest(&home.join("plugins"), "rabbit-")?;
            let version = code.file_name()?.to_str()?.strip_prefix("rabbit-")?;
            Some(Self {
                version: version.to_owned(),
                code: code.join("ebin"),
                home,
                erl: process::search_path(OsStr::new("erl"))?,
            })
        });
        found.expect(
            "a RabbitMQ broker is needed and was not found: get it with `./test --setup`, which starts no \
             service, or `apt-get install rabbitmq-server`, or name its folder `rabbitmq_server-VERSION` in \
             RABBITMQ_HOME",
        )
    }
}

/// The last of the folders there whose name begins so.
fn newest(folder: &Path, prefix: &str) -> Option<PathBuf> {
    let begins = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str);
        name.is_some_and(|name| name.starts_with(prefix))
    };
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    entries.map(|entry| entry.path()).filter(begins).max()
}
