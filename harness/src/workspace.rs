//! Where the setup script puts what it fetches.

use std::path::{Path, PathBuf};

/// The folder `.tools` of this workspace.
pub(crate) fn tools() -> PathBuf {
    root().join(".tools")
}

/// The workspace's root folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in a folder of the workspace")
}
