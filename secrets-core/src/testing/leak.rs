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
    note(format_args!("{fault} {fault:?}"));
    let mut cause = fault.source();
    while let Some(fault) = cause {
        note(format_args!("{fault} {fault:?}"));
        cause = fault.source();
    }
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
