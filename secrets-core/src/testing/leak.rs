//! Collects what is logged and reported, and looks for secrets in it.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::rotation::RotationError;

thread_local! {
    /// A trial runs on one thread, so its words are the thread's.
    static WORDS: RefCell<String> = const { RefCell::new(String::new()) };
}

fn note(words: fmt::Arguments<'_>) {
    WORDS.with_borrow_mut(|all| {
        // Writing to memory does not fail.
        let _ = all.write_fmt(words);
        all.push('\n');
    });
}

/// All forms in which an error reaches a log.
pub(super) fn note_error(fault: &RotationError) {
    note(format_args!("{ERROR}{fault} {fault:?}"));
    let mut cause = fault.source();
    while let Some(fault) = cause {
        note(format_args!("{ERROR}{fault} {fault:?}"));
        cause = fault.source();
    }
}

/// How the words of an error begin.
const ERROR: &str = "error: ";

/// Where in these words this was found, in a sentence: never the words themselves.
pub(super) fn place(words: &str, is_in: impl Fn(&str) -> bool) -> String {
    let Some(line) = words.lines().find(|line| is_in(line)) else {
        return "over several lines of a log event or an error".into();
    };
    let field = line.split_once('=').map(|(field, _)| field);
    match field {
        _ if line.starts_with(ERROR) => "in the error of a step, or its Debug".into(),
        Some(field) if is_name(field) && !is_in(field) => {
            format!("in the field `{field}` of a log event")
        }
        _ => "in a log event or an error".into(),
    }
}

fn is_name(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    text.chars().all(part)
}

/// What was said since the last look.
pub(super) fn take_words() -> String {
    WORDS.take()
}

/// Listens to every event and span of this thread, at every level.
pub(super) struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Words);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Words);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Words);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Words;

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        note(format_args!("{field}={value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        note(format_args!("{field}={value}"));
    }
}
