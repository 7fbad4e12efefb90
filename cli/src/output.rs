//! Lines for people, or one JSON object for machines.
//!
//! People get the result on standard output and errors on standard error, with colours where that is a
//! terminal and `NO_COLOR` is not set. Machines (`--json`) get one object on standard output, in either
//! case. Progress is shown on a terminal only.

use std::fmt;
use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::report::{Exit, Failure, Report};

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    progress: bool,
}

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const MIND: Style = AnsiColor::Yellow.on_default();
pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Text in a style.
pub(crate) fn styled(style: Style, text: impl fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            progress: !json && std::io::stdout().is_terminal() && !is_dumb(),
        }
    }

    /// A line of the result, for people.
    pub(crate) fn line(self, line: impl fmt::Display) {
        if !self.json {
            // Whoever closed the pipe has read enough.
            let _ = writeln!(anstream::stdout(), "{line}");
        }
    }

    /// Something under way: the line that follows takes its place.
    pub(crate) fn progress(self, line: impl fmt::Display) {
        if self.progress {
            // Erases the line also where colours are not wanted.
            let _ = write!(std::io::stdout(), "\r\x1b[2K");
            let mut out = anstream::stdout();
            let _ = write!(out, "{line}");
            let _ = out.flush();
        }
    }

    /// Takes what is under way off the screen.
    pub(crate) fn settle(self) {
        self.progress("");
    }

    /// A remark beside the result.
    pub(crate) fn remark(self, line: impl fmt::Display) {
        self.settle();
        let _ = writeln!(anstream::stderr(), "{line}");
    }

    /// The end, for machines.
    pub(crate) fn report(self, command: &str, report: &Report) {
        let mut object = json!({"command": command, "ok": report.exit == Exit::Fine});
        merge(&mut object, &report.json);
        self.object(&object);
    }

    /// What went wrong.
    pub(crate) fn failure(self, command: &str, failure: &Failure) {
        let Failure {
            code,
            message,
            advice,
            ..
        } = failure;
        if self.json {
            let mut object = json!({
                "command": command, "ok": false,
                "error": {"code": code, "message": message, "advice": advice},
            });
            merge(&mut object, &failure.so_far);
            self.object(&object);
        } else {
            self.remark(format_args!(
                "{}: {message} {}",
                styled(BAD, "error"),
                styled(FAINT, format_args!("[{code}, {advice}]"))
            ));
        }
    }

    fn object(self, object: &Value) {
        if self.json {
            let _ = writeln!(std::io::stdout(), "{object}");
        }
    }
}

/// A terminal that cannot erase a line.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn merge(object: &mut Value, more: &Value) {
    if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
        object.extend(more.clone());
    }
}
