//! An entry as a server keeps it, and how its passwords are changed.

use secrecy::SecretString;
use secrets_core::rotator::RotatorError;

use super::connection::Session;
use super::error::{Peer, Role};
use super::scheme::{Match, Stored};

/// What is read of an entry.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) values: Vec<Stored>,
    /// Whether a policy has the entry locked, or had until nobody looked.
    pub(super) locked: bool,
}

/// One change of an entry's passwords.
#[derive(Debug)]
pub(super) enum Change {
    Add(Stored),
    Remove(Vec<Stored>),
    Exchange { old: Stored, new: Stored },
}

impl Account {
    /// Looks the entry up; it must be one that keeps its passwords itself.
    pub(super) async fn of(entry: &str, session: &mut Session) -> Result<Self, RotatorError> {
        let found = session.read(entry).await?;
        let peer = session.peer();
        let Some(account) = found else {
            return Err(missing(peer));
        };
        if account.values.is_empty() {
            return Err(peer.no_access());
        }
        if account.values.iter().any(Stored::is_kept_elsewhere) {
            return Err(RotatorError::misconfigured(format!(
                "{peer} asks another server for the password of the entry (a value {{SASL}} of userPassword); \
                 rotate it there"
            )));
        }
        Ok(account)
    }

    pub(super) fn has(&self, password: &SecretString) -> bool {
        self.of_password(password).next().is_some()
    }

    /// The values that are this password's.
    pub(super) fn of_password(&self, password: &SecretString) -> impl Iterator<Item = &Stored> {
        let values = self.values.iter();
        values.filter(|value| value.matches(password) == Match::Yes)
    }

    /// The values whose scheme is not known here.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &Stored> {
        self.values.iter().filter(|value| value.is_unknown())
    }
}

fn missing(peer: &Peer) -> RotatorError {
    match peer.role {
        Role::Own => RotatorError::misconfigured(format!(
            "the entry may not see itself at {peer}; grant that (olcAccess: to attrs=entry,objectClass by self \
             read), or add `masterarn`, the secret of an admin, to the secret"
        )),
        Role::Admin => RotatorError::misconfigured(format!(
            "there is no entry `username` at {peer}, or none that it may see; create it, correct `username`, or \
             grant that (olcAccess: to attrs=entry,objectClass by dn.exact=\"<username of masterarn>\" read)"
        )),
    }
    .with_code("noSuchObject")
}
