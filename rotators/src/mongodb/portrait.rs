//! A user as the server shows it: all that a second one must have, too.

use std::collections::BTreeSet;
use std::fmt;

use bson::raw::{RawArray, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};
use bson::rawdoc;
use secrets_core::rotator::RotatorError;

use super::connection::Session;
use super::error::{Failure, Role, code};

/// What is told of a user besides its password.
#[derive(Clone)]
pub(super) struct Portrait {
    pub(super) roles: BTreeSet<UserRole>,
    /// Empty where there is none.
    pub(super) custom_data: RawDocumentBuf,
    /// From where the user may log in; empty where that is not restricted, or the server does not know of it.
    pub(super) restrictions: RawArrayBuf,
    /// The hashes that the server keeps; None where it does not tell.
    pub(super) mechanisms: Option<BTreeSet<String>>,
}

/// A role that a user was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UserRole {
    pub(super) database: String,
    pub(super) name: String,
}

/// What came is no answer to the question.
#[derive(Debug)]
struct NoAnswer;

/// How much is asked of the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// What a new password needs: how it is kept.
    Password,
    /// All.
    Whole,
}

impl Portrait {
    /// Looks a user up; None: there is no such user in that database.
    pub(super) async fn of(
        session: &mut Session,
        (name, database): (&str, &str),
        detail: Detail,
    ) -> Result<Option<Self>, RotatorError> {
        let plain = || rawdoc! {"usersInfo": name};
        let answer = match detail {
            Detail::Password => session.run(database, plain()).await,
            Detail::Whole => {
                let whole = rawdoc! {"usersInfo": name, "showAuthenticationRestrictions": true};
                match session.run(database, whole).await {
                    // A server that has no restrictions does not know the field.
                    Err(Failure::Refused(
                        code::FAILED_TO_PARSE
                        | code::INVALID_OPTIONS
                        | code::NOT_SUPPORTED
                        | code::UNKNOWN_FIELD,
                    )) => session.run(database, plain()).await,
                    other => other,
                }
            }
        };
        let peer = session.peer();
        let answer = answer.map_err(|failure| {
            failure.explained(peer, |code| {
                let missing = match peer.role {
                    Role::Own => "the user may not look at itself",
                    Role::Admin => "it may not look at users",
                };
                (code == code::UNAUTHORIZED).then(|| {
                    RotatorError::refused(format!(
                        "at {peer} {missing}; grant the action viewUser on the users' database"
                    ))
                })
            })
        })?;
        Self::read(&answer, name).map_err(|NoAnswer| peer.not_understood())
    }

    /// The answer to `usersInfo`: one user, or none.
    fn read(answer: &RawDocument, name: &str) -> Result<Option<Self>, NoAnswer> {
        let mut users = answer.get_array("users").map_err(|_| NoAnswer)?.into_iter();
        let Some(user) = users.next() else {
            return Ok(None);
        };
        let user = user.ok().and_then(RawBsonRef::as_document);
        let user = user.filter(|user| user.get_str("user").is_ok_and(|it| it == name));
        match (user.and_then(Self::of_user), users.next()) {
            (Some(user), None) => Ok(Some(user)),
            _ => Err(NoAnswer),
        }
    }

    fn of_user(user: &RawDocument) -> Option<Self> {
        let roles = user.get_array("roles").ok()?.into_iter().map(|role| {
            let role = role.ok()?.as_document()?;
            Some(UserRole {
                database: role.get_str("db").ok()?.to_owned(),
                name: role.get_str("role").ok()?.to_owned(),
            })
        });
        let mechanisms = user.get("mechanisms").ok()?.map(|names| {
            let names = names.as_array()?.into_iter();
            names
                .map(|name| Some(name.ok()?.as_str()?.to_owned()))
                .collect::<Option<BTreeSet<_>>>()
        });
        Some(Self {
            roles: roles.collect::<Option<_>>()?,
            custom_data: match user.get("customData").ok()? {
                Some(data) => data.as_document()?.to_owned(),
                None => RawDocumentBuf::new(),
            },
            restrictions: match user.get("authenticationRestrictions").ok()? {
                Some(restrictions) => restrictions.as_array()?.to_owned(),
                None => RawArrayBuf::new(),
            },
            mechanisms: match mechanisms {
                Some(names) => Some(names?),
                None => None,
            },
        })
    }

    /// The roles as commands take them.
    pub(super) fn roles(&self) -> RawArrayBuf {
        let role = |role: &UserRole| {
            rawdoc! {"role": role.name.as_str(), "db": role.database.as_str()}
        };
        self.roles.iter().map(role).collect()
    }

    /// Whether the server keeps anything from which a password could be told.
    pub(super) fn has_password(&self) -> bool {
        let names = self.mechanisms.as_ref();
        names.is_none_or(|names| names.iter().any(|name| name.starts_with("SCRAM-")))
    }

    pub(super) fn is_restricted(&self) -> bool {
        !is_empty(&self.restrictions)
    }

    /// What a user may do otherwise than this one, passwords apart; in words.
    pub(super) fn difference(&self, own: &Self) -> Option<&'static str> {
        if self.roles != own.roles {
            Some("its roles are others")
        } else if self.custom_data != own.custom_data {
            Some("its customData are others")
        } else if self.restrictions != own.restrictions {
            Some("its authenticationRestrictions are others")
        } else {
            None
        }
    }
}

fn is_empty(array: &RawArray) -> bool {
    array.into_iter().next().is_none()
}

impl fmt::Debug for Portrait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `customData` may hold anything.
        f.debug_struct("Portrait")
            .field("roles", &self.roles)
            .field("mechanisms", &self.mechanisms)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, rawdoc};

    use super::*;

    fn user() -> RawDocumentBuf {
        rawdoc! {
            "user": "app", "db": "shop", "userId": 1,
            "roles": [{"role": "read", "db": "shop"}, {"role": "$x", "db": "a"}],
            "mechanisms": ["SCRAM-SHA-1", "SCRAM-SHA-256"],
        }
    }

    fn read(users: RawArrayBuf) -> Result<Option<Portrait>, NoAnswer> {
        Portrait::read(&rawdoc! {"users": users, "ok": 1.0}, "app")
    }

    fn portrait(user: RawDocumentBuf) -> Portrait {
        read(RawArrayBuf::from_iter([user]))
            .expect("an answer")
            .expect("a user")
    }

    #[test]
    fn what_a_server_does_not_show_is_empty() {
        let read = portrait(user());
        assert!(!read.is_restricted() && read.custom_data.is_empty());
        assert!(read.has_password());
        let sorted = rawdoc! {"r": [{"role": "$x", "db": "a"}, {"role": "read", "db": "shop"}]};
        assert_eq!(sorted.get_array("r").expect("roles"), &*read.roles());
        let old = rawdoc! {"user": "app", "roles": []};
        assert!(portrait(old.clone()).mechanisms.is_none() && portrait(old).has_password());
        let external = rawdoc! {"user": "app", "roles": [], "mechanisms": ["external"]};
        assert!(!portrait(external).has_password());
    }

    #[test]
    fn each_difference_is_named() {
        let with = |key: &bson::raw::CStr, value: bson::RawBson| {
            let mut other = user();
            other.append(key, value);
            portrait(other)
        };
        let (model, same) = (portrait(user()), portrait(user()));
        assert_eq!(model.difference(&same), None);
        let data = with(bson::raw::cstr!("customData"), rawdoc! {"a": 1}.into());
        assert_eq!(model.difference(&data), Some("its customData are others"));
        let restrictions = RawArrayBuf::from_iter([rawdoc! {"clientSource": ["10.0.0.0/8"]}]);
        let key = bson::raw::cstr!("authenticationRestrictions");
        let restricted = with(key, restrictions.into());
        assert!(restricted.is_restricted());
        let found = restricted.difference(&model);
        assert_eq!(found, Some("its authenticationRestrictions are others"));
        let roles = portrait(rawdoc! {"user": "app", "roles": []});
        assert_eq!(roles.difference(&model), Some("its roles are others"));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        assert!(matches!(read(RawArrayBuf::new()), Ok(None)));
        for users in [
            RawArrayBuf::from_iter([user(), user()]),
            RawArrayBuf::from_iter([rawdoc! {"user": "other", "roles": []}]),
            RawArrayBuf::from_iter([rawdoc! {"user": "app"}]),
            RawArrayBuf::from_iter([rawdoc! {"user": "app", "roles": ["read"]}]),
            RawArrayBuf::from_iter([rawdoc! {"user": "app", "roles": [], "mechanisms": [1]}]),
            RawArrayBuf::from_iter([rawdoc! {"user": "app", "roles": [], "customData": 1}]),
            RawArrayBuf::from_iter([1]),
        ] {
            assert!(read(users).is_err());
        }
        assert!(Portrait::read(&rawdoc! {"ok": 1}, "app").is_err());
    }
}
