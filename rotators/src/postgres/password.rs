//! The end of a statement that sets a password.

use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;

use super::credential::Login;
use super::settings::PasswordForm;
use crate::postgres_wire::{Literal, Sql};

/// Appends the password, and the date until which it is valid; the statement holds the password itself only
/// where the settings say so.
pub(super) fn with_password(
    statement: Sql,
    wanted: &Login,
    form: PasswordForm,
    valid_until: Option<&str>,
) -> Sql {
    let password = wanted.password.expose_secret();
    let sent = Zeroizing::new(match form {
        PasswordForm::Plain => password.to_owned(),
        PasswordForm::Scram => postgres_protocol::password::scram_sha_256(password.as_bytes()),
    });
    let statement = statement.text(" PASSWORD ").literal(Literal(&sent));
    match valid_until {
        Some(until) => statement.text(" VALID UNTIL ").literal(Literal(until)),
        None => statement,
    }
}
