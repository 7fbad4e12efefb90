//! The question before something is changed.

use std::io::{self, IsTerminal, Write};

use crate::report::Failure;

/// Goes on if that was confirmed beforehand, or is now, on a terminal.
pub(crate) fn confirm(question: &str, beforehand: bool) -> Result<(), Failure> {
    if beforehand {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::refused(
            "NotConfirmed",
            "nothing was done: this has to be confirmed, and standard input is no terminal; pass --yes",
        ));
    }
    let mut to = anstream::stderr();
    let _ = write!(to, "{question} [y/N] ");
    let _ = to.flush();
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    if read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Failure::refused(
        "NotConfirmed",
        "nothing was done: not confirmed",
    ))
}
