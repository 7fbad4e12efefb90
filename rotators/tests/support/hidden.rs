//! Whether a text holds a secret, in any of the forms in which secrets get into texts.

use std::error::Error;
use std::fmt::Write;

use secrets_core::testing::sentinel::found;

/// Everything that an error may show: Debug, and Display of it and of its causes.
pub(crate) fn shown(error: &(dyn Error + 'static)) -> String {
    let mut shown = format!("{error:?}");
    let mut next = Some(error);
    while let Some(error) = next {
        write!(shown, "\n{error}\n{error:?}\n{error:#?}").expect("strings take everything");
        next = error.source();
    }
    shown
}

/// Fails if the text holds the secret in any form.
pub(crate) fn assert_absent(text: &str, secret: &str) {
    assert_eq!(found(secret, text), None, "a secret is in: {text}");
}
