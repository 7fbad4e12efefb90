//! A user as a server keeps it, and how its passwords are changed.

use std::fmt;

use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::RotatorError;

use super::connection::Session;
use super::error::{Peer, Role, unsaved};
use super::resp::{Refusal, Reply};
use super::settings::AclSave;

/// How servers keep a password: SHA-256 in lower-case hex, without salt.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PasswordHash(String);

impl PasswordHash {
    pub(super) fn of(password: &SecretString) -> Self {
        use fmt::Write as _;
        let digest = digest(&SHA256, password.expose_secret().as_bytes());
        let mut hex = String::with_capacity(64);
        for byte in digest.as_ref() {
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }
}

/// What `ACL GETUSER` says of a user.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Account {
    enabled: bool,
    takes_any_password: bool,
    hashes: Vec<PasswordHash>,
}

impl Account {
    /// Looks the user up; it must be one whose password means something.
    pub(super) async fn of(username: &str, session: &mut Session) -> Result<Self, RotatorError> {
        let answer = session.call(&["ACL", "GETUSER", username]).await?;
        let peer = session.peer();
        let account = match answer {
            Reply::Refused(refusal) => return Err(peer.refused(refusal)),
            Reply::Other => return Err(missing(peer)),
            answer => Self::read(answer).ok_or_else(|| peer.not_redis())?,
        };
        if account.takes_any_password {
            return Err(RotatorError::misconfigured(format!(
                "{peer} lets the user of `username` in with any password (`nopass`), so a rotation would \
                 protect nothing; set a password there (ACL SETUSER with resetpass and the hash of the \
                 present `password`), then rotate again"
            )));
        }
        if !account.enabled {
            return Err(RotatorError::misconfigured(format!(
                "the user of `username` is disabled at {peer} (`off`); enable it there, or name another one"
            )));
        }
        Ok(account)
    }

    /// The answer is a list of names, each with what belongs to it behind it.
    fn read(answer: Reply) -> Option<Self> {
        let Reply::List(fields) = answer else {
            return None;
        };
        let texts = |name: &str| {
            let at = fields
                .chunks_exact(2)
                .find(|pair| matches!(&pair[0], Reply::Text(text) if text == name))?;
            let Reply::List(values) = &at[1] else {
                return None;
            };
            values
                .iter()
                .map(|value| match value {
                    Reply::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect::<Option<Vec<_>>>()
        };
        let (flags, hashes) = (texts("flags")?, texts("passwords")?);
        Some(Self {
            enabled: flags.contains(&"on"),
            takes_any_password: flags.contains(&"nopass"),
            hashes: hashes
                .into_iter()
                .map(|hash| PasswordHash(hash.to_owned()))
                .collect(),
        })
    }

    pub(super) fn has(&self, hash: &PasswordHash) -> bool {
        self.hashes.contains(hash)
    }

    /// How many passwords there are besides these.
    pub(super) fn others(&self, known: &[PasswordHash]) -> usize {
        let unknown = self.hashes.iter().filter(|hash| !known.contains(hash));
        unknown.count()
    }
}

/// One change of a user's passwords.
#[derive(Clone, Copy)]
pub(super) enum Change<'h> {
    Add(&'h PasswordHash),
    Remove(&'h PasswordHash),
}

/// Changes the user, and has the server write that down: both are sent at once, so that a crash of this
/// process leaves neither or both.
pub(super) async fn change(
    username: &str,
    change: Change<'_>,
    save: AclSave,
    session: &mut Session,
) -> Result<(), RotatorError> {
    let rule = match change {
        Change::Add(hash) => format!("#{}", hash.0),
        Change::Remove(hash) => format!("!{}", hash.0),
    };
    let set: &[&str] = &["ACL", "SETUSER", username, &rule];
    let answers = match save {
        AclSave::Auto => session.call_all(&[set, &["ACL", "SAVE"]]).await?,
        AclSave::Never => session.call_all(&[set]).await?,
    };
    if let Some(Reply::Refused(refusal)) = answers.first() {
        return Err(session.peer().refused(*refusal));
    }
    match answers.get(1) {
        Some(saved) => check_saved(saved, session.peer()).map(drop),
        None => Ok(()),
    }
}

/// Has the server write its users to its file; tells whether they survive a restart, as far as that is
/// known.
pub(super) async fn save(save: AclSave, session: &mut Session) -> Result<bool, RotatorError> {
    match save {
        AclSave::Never => Ok(true),
        AclSave::Auto => {
            let saved = session.call(&["ACL", "SAVE"]).await?;
            check_saved(&saved, session.peer())
        }
    }
}

fn check_saved(answer: &Reply, peer: &Peer) -> Result<bool, RotatorError> {
    match answer {
        Reply::Refused(Refusal::NoAclFile) => Ok(false),
        Reply::Refused(refusal) => Err(unsaved(peer, *refusal)),
        _ => Ok(true),
    }
}

fn missing(peer: &Peer) -> RotatorError {
    let whose = match peer.role {
        Role::Own => "itself",
        Role::Admin => "`username`",
    };
    RotatorError::misconfigured(format!(
        "there is no user {whose} at {peer}; create it there, or correct `username`"
    ))
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector for "abc" in FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn text(text: &str) -> Reply {
        Reply::Text(text.to_owned())
    }

    fn texts(all: &[&str]) -> Reply {
        Reply::List(all.iter().map(|one| text(one)).collect())
    }

    #[test]
    fn a_password_is_hashed_as_servers_do() {
        let hash = PasswordHash::of(&"abc".into());
        assert_eq!(hash.0, ABC);
        assert_eq!(format!("{hash:?}"), "PasswordHash([redacted])");
    }

    #[test]
    fn a_user_is_read_whatever_else_is_said_of_it() {
        let answer = Reply::List(vec![
            text("selectors"),
            Reply::List(vec![texts(&["passwords", "x"])]),
            text("flags"),
            texts(&["on", "sanitize-payload"]),
            text("commands"),
            text("passwords"),
            text("passwords"),
            texts(&[ABC, "other"]),
        ]);
        let account = Account::read(answer).expect("a user");
        let hash = PasswordHash::of(&"abc".into());
        assert!(account.enabled && !account.takes_any_password);
        assert!(account.has(&hash));
        assert!(!account.has(&PasswordHash::of(&"abd".into())));
        assert_eq!((account.others(&[hash]), account.others(&[])), (1, 2));
    }

    #[test]
    fn flags_are_read() {
        let read = |flags: &[&str]| {
            let passwords = texts(&[]);
            let fields = vec![text("flags"), texts(flags), text("passwords"), passwords];
            let account = Account::read(Reply::List(fields)).expect("a user");
            (account.enabled, account.takes_any_password)
        };
        assert_eq!(read(&["off"]), (false, false));
        assert_eq!(read(&["on", "nopass"]), (true, true));
    }

    #[test]
    fn what_is_no_user_is_none() {
        for answer in [
            text("OK"),
            Reply::List(vec![]),
            Reply::List(vec![text("flags"), texts(&["on"])]),
            Reply::List(vec![
                text("flags"),
                text("on"),
                text("passwords"),
                texts(&[]),
            ]),
            Reply::List(vec![
                text("flags"),
                Reply::List(vec![Reply::Other]),
                text("passwords"),
                texts(&[]),
            ]),
        ] {
            assert_eq!(Account::read(answer), None);
        }
    }
}
