//! What it means when a step in the making of a pair is refused, and who must act.

use secrets_core::rotator::RotatorError;
use tokio_postgres::error::SqlState;

use super::error::{DIALECT, Peer, SessionError};

/// What it means that the admin is not told what there is.
pub(super) fn of_look(fault: SessionError, peer: &Peer) -> RotatorError {
    match fault {
        SessionError::Refused(state) if state == SqlState::INSUFFICIENT_PRIVILEGE => {
            no_superuser(peer).with_code(state.code())
        }
        other => other.of_statement(peer),
    }
}

/// What it means that a step is refused. All is taken back.
pub(super) fn of_step(fault: SessionError, what: &str, peer: &Peer) -> RotatorError {
    let state = match fault {
        SessionError::Broken(fault) => return fault,
        SessionError::Refused(state) => state,
    };
    let fault = match state {
        SqlState::READ_ONLY_SQL_TRANSACTION => RotatorError::misconfigured(format!(
            "{peer} takes no changes at the moment (read-only); set `host` to the endpoint that does"
        )),
        // Two functions at once: the other one has made the user.
        SqlState::DUPLICATE_OBJECT | SqlState::UNIQUE_VIOLATION => RotatorError::unreachable(
            format!("somebody else makes the same user at {peer} at this moment; try again later"),
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => no_superuser(peer),
        _ => RotatorError::refused(format!(
            "{peer} refuses to give or take rights ({what}); nothing was changed; give both users the same \
             there, and rotate again; the code stands in {}",
            DIALECT.codes
        )),
    };
    fault.with_code(state.code())
}

/// What it means that the admin may not do all that there is to do.
pub(super) fn no_superuser(peer: &Peer) -> RotatorError {
    RotatorError::refused(format!(
        "{peer} is no superuser, and so neither sees nor gives all rights of other users; let `masterarn` name \
         a superuser (ALTER USER .. CREATEUSER)"
    ))
}

/// What it means that a user has a right that this version does not know.
pub(super) fn unknown(peer: &Peer, kind: &str, word: &str) -> RotatorError {
    let harmless = |c: char| c.is_ascii_alphanumeric() || " _".contains(c);
    let word = if word.len() <= 40 && word.chars().all(harmless) {
        word
    } else {
        "of a kind that cannot be shown"
    };
    RotatorError::misconfigured(format!(
        "at {peer} a user of the pair has a right that this version cannot copy ({kind}: {word}); nothing was \
         changed; give it to a role or group that both users have, take it from the user, and rotate again"
    ))
}
