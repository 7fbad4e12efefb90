//! `completions`: a script for a shell.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::args::Args;

pub(crate) fn run(shell: Shell) {
    let mut command = Args::command();
    generate(
        shell,
        &mut command,
        "secrets-rotation",
        &mut std::io::stdout(),
    );
}
