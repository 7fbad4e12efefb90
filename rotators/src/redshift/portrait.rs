//! What a user is and may do, as far as it can be given to another one.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::rotator::RotatorError;

use super::owned::{self, Routines};
use super::reading::{self, CREATED, Columns, Granted, VIEWS, of_users};
use super::right::{Grantee, Object, Right};
use super::wording::of_look;
use crate::postgres_wire::Session;

const ATTRIBUTES: &str = "SELECT user_name, superuser, createdb, syslog_access, connection_limit, \
    session_timeout FROM pg_catalog.svv_user_info WHERE user_name IN (";

const SETTINGS: &str = "SELECT usename, useconfig FROM pg_catalog.pg_user WHERE useconfig IS NOT NULL AND usename IN (";

const ROW_POLICIES: &str = "SELECT grantee, relschema, relname, polname \
    FROM pg_catalog.svv_rls_attached_policy WHERE granteekind = 'user' AND grantee IN (";

const MASKING_POLICIES: &str = "SELECT grantee, schema_name, table_name, policy_name, priority, \
    input_columns, output_columns FROM pg_catalog.svv_attached_masking_policy \
    WHERE grantee_type = 'user' AND grantee IN (";

/// One user.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Portrait {
    pub(super) attributes: Attributes,
    /// `ALTER USER .. SET`.
    pub(super) settings: BTreeMap<String, String>,
    /// What was granted to the user, and whether it may pass it on.
    pub(super) granted: BTreeMap<Right, bool>,
    /// What the user may do because something is its own.
    pub(super) owned: BTreeSet<Right>,
    /// Policies on rows and columns: they are compared and never changed.
    pub(super) policies: BTreeSet<Vec<String>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) superuser: bool,
    pub(super) createdb: bool,
    /// Whether it sees what others do (`SYSLOG ACCESS UNRESTRICTED`).
    pub(super) sees_all: bool,
    /// None: unlimited.
    pub(super) connection_limit: Option<u32>,
    /// In seconds; 0: that of the cluster.
    pub(super) session_timeout: u32,
}

/// Two users, neither of which need be there.
pub(super) type Portraits = [Option<Portrait>; 2];

/// Looks at both users. What one of them grants to the other is left out: it is no difference between them.
pub(super) async fn of_pair(
    session: &Session,
    users: [&str; 2],
) -> Result<Portraits, RotatorError> {
    let mut look = Look {
        session,
        users,
        found: [None, None],
    };
    look.attributes().await?;
    look.settings().await?;
    look.rights().await?;
    look.policies().await?;
    Ok(look.found)
}

struct Look<'s> {
    session: &'s Session,
    users: [&'s str; 2],
    found: Portraits,
}

impl Look<'_> {
    async fn rows(
        &self,
        question: &'static str,
    ) -> Result<Vec<crate::postgres_wire::Row>, RotatorError> {
        let answer = self.session.rows(&of_users(question, self.users)).await;
        answer.map_err(|fault| of_look(fault, self.session.peer()))
    }

    fn of(&mut self, user: &str) -> Option<&mut Portrait> {
        let nth = self.users.iter().position(|name| *name == user)?;
        self.found[nth].as_mut()
    }

    async fn attributes(&mut self) -> Result<(), RotatorError> {
        for row in &self.rows(ATTRIBUTES).await? {
            let row = Columns(row);
            let user = row.text(0);
            let Some(nth) = self.users.iter().position(|name| *name == user) else {
                continue;
            };
            self.found[nth] = Some(Portrait {
                attributes: Attributes {
                    superuser: row.yes(1),
                    createdb: row.yes(2),
                    sees_all: row.text(3).eq_ignore_ascii_case("unrestricted"),
                    connection_limit: row.text(4).trim().parse().ok(),
                    session_timeout: row.text(5).trim().parse().unwrap_or_default(),
                },
                ..Portrait::default()
            });
        }
        Ok(())
    }

    async fn settings(&mut self) -> Result<(), RotatorError> {
        for row in &self.rows(SETTINGS).await? {
            let row = Columns(row);
            let settings = array(&row.text(1)).into_iter().filter_map(|setting| {
                let (name, value) = setting.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            });
            let settings = settings.collect();
            if let Some(portrait) = self.of(&row.text(0)) {
                portrait.settings = settings;
            }
        }
        Ok(())
    }

    async fn rights(&mut self) -> Result<(), RotatorError> {
        let (session, users) = (self.session, self.users);
        let peer = session.peer();
        let look = |fault| of_look(fault, peer);
        let routines = Routines::of(session).await.map_err(look)?;
        let owned = owned::rights(session, users, &routines).await?;
        for (found, owned) in self.found.iter_mut().zip(owned) {
            if let Some(portrait) = found {
                portrait.owned = owned;
            }
        }
        for view in VIEWS.iter().chain([&CREATED]) {
            let rows = session.rows(&view.question(users)).await.map_err(look)?;
            for row in &rows {
                self.add(view.read(row, peer)?);
            }
        }
        for row in &self.rows(reading::ROUTINES).await? {
            self.add(reading::routine(row, peer, |schema, name, types| {
                routines.is_procedure(schema, name, types)
            })?);
        }
        Ok(())
    }

    fn add(&mut self, granted: Granted) {
        let Granted {
            user,
            right,
            option,
        } = granted;
        let within_the_pair = match &right.object {
            Object::CreatedBy { owner, .. } => self.users.contains(&owner.as_str()),
            Object::Created {
                grantee: Grantee::User(name),
                ..
            } => self.users.contains(&name.as_str()),
            _ => false,
        };
        let Some(portrait) = self.of(&user).filter(|_| !within_the_pair) else {
            return;
        };
        let is_owner = |owned: &Right| owned.object == right.object;
        if portrait.owned.iter().any(is_owner) {
            // Lists of rights name the owner as well.
            return;
        }
        *portrait.granted.entry(right).or_default() |= option;
    }

    async fn policies(&mut self) -> Result<(), RotatorError> {
        for question in [ROW_POLICIES, MASKING_POLICIES] {
            for row in self.rows(question).await? {
                let user = Columns(&row).text(0);
                let policy = row.into_iter().skip(1).map(Option::unwrap_or_default);
                let policy = policy.collect();
                if let Some(portrait) = self.of(&user) {
                    portrait.policies.insert(policy);
                }
            }
        }
        Ok(())
    }
}

/// The texts of an array, as the server writes one: in braces, with commas between, in double quotes where
/// they need them, in which a backslash stands before what it means to the letter.
fn array(text: &str) -> Vec<String> {
    let inner = text.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
    let Some(inner) = inner.filter(|inner| !inner.is_empty()) else {
        return Vec::new();
    };
    let mut texts = vec![String::new()];
    let mut quoted = false;
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        let next = match character {
            '"' => {
                quoted = !quoted;
                continue;
            }
            ',' if !quoted => {
                texts.push(String::new());
                continue;
            }
            '\\' => characters.next(),
            other => Some(other),
        };
        if let (Some(text), Some(next)) = (texts.last_mut(), next) {
            text.push(next);
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_read_as_the_server_writes_them() {
        for (written, texts) in [
            ("", vec![]),
            ("{}", vec![]),
            ("{a=1}", vec!["a=1"]),
            (
                r#"{"search_path=\"$user\", public",b=}"#,
                vec![r#"search_path="$user", public"#, "b="],
            ),
            (r#"{"a\\b\"c","d,e"}"#, vec![r#"a\b"c"#, "d,e"]),
        ] {
            assert_eq!(array(written), texts, "{written}");
        }
    }
}
