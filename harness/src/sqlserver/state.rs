//! Logins, databases, users, roles and rights.

use std::collections::{BTreeMap, BTreeSet};

use super::packet::{Login7, Refusal};

/// Roles that every server has, and the one that may do everything.
pub(super) const SYSADMIN: &str = "sysadmin";
pub(super) const FIXED_SERVER_ROLES: [&str; 4] =
    [SYSADMIN, "securityadmin", "processadmin", "dbcreator"];
pub(super) const DB_OWNER: &str = "db_owner";
const FIXED_DATABASE_ROLES: [&str; 4] = [DB_OWNER, "db_datareader", "db_datawriter", "db_ddladmin"];

/// What a right is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Securable {
    /// As `class_desc` of the catalogue has it.
    pub(super) class: String,
    /// `type_desc`, of principals.
    pub(super) kind: Option<String>,
    /// Of what is in a schema.
    pub(super) schema: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// Of a column.
    pub(super) column: Option<String>,
}

/// Rights of one principal: permission and securable (None: server or database), and `state_desc`.
pub(super) type Rights = BTreeMap<(String, Option<Securable>), String>;

/// A login with a password.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    pub(super) id: i32,
    pub(super) sid: i32,
    pub(super) password: String,
    pub(super) history: Vec<String>,
    pub(super) database: String,
    pub(super) language: String,
    pub(super) policy: bool,
    pub(super) expiration: bool,
    pub(super) disabled: bool,
    pub(super) roles: BTreeSet<String>,
    pub(super) rights: Rights,
    pub(super) failed: usize,
    pub(super) condition: Condition,
}

/// What keeps a login out, whatever its password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing does.
    #[default]
    Fine,
    /// Wrong passwords did (18486).
    Locked,
    /// Its password is too old (18487).
    Expired,
    /// Its password is to be changed first (18488).
    MustChange,
    /// Its password is too young to be changed (15114); logging in is possible.
    TooRecent,
}

#[derive(Clone, Debug, Default)]
pub(super) struct User {
    pub(super) id: i32,
    /// Of the login; None: it has a password.
    pub(super) sid: Option<i32>,
    pub(super) password: String,
    pub(super) schema: Option<String>,
    pub(super) roles: BTreeSet<String>,
    pub(super) rights: Rights,
    pub(super) owns: i32,
}

#[derive(Debug, Default)]
pub(super) struct Database {
    pub(super) id: i32,
    pub(super) contained: bool,
    pub(super) offline: bool,
    pub(super) read_only: bool,
    pub(super) users: BTreeMap<String, User>,
    pub(super) roles: BTreeSet<String>,
    /// All that rights may be on, but users and roles.
    pub(super) things: BTreeSet<Securable>,
}

/// All that the server keeps.
#[derive(Debug)]
pub(super) struct State {
    pub(super) logins: BTreeMap<String, Login>,
    pub(super) server_roles: BTreeSet<String>,
    pub(super) endpoints: BTreeSet<String>,
    pub(super) databases: BTreeMap<String, Database>,
    pub(super) statements: Vec<String>,
    pub(super) not_understood: Vec<String>,
    pub(super) refused_logins: usize,
    pub(super) lock_after: Option<usize>,
    next: i32,
}

/// Who is at work, and where.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The login; None: a user of a contained database.
    pub(super) login: Option<String>,
    /// That user.
    pub(super) user: Option<String>,
    pub(super) database: String,
}

impl State {
    pub(super) fn new() -> Self {
        let mut state = Self {
            logins: BTreeMap::new(),
            server_roles: FIXED_SERVER_ROLES.map(str::to_owned).into(),
            endpoints: BTreeSet::new(),
            databases: BTreeMap::new(),
            statements: Vec::new(),
            not_understood: Vec::new(),
            refused_logins: 0,
            lock_after: None,
            next: 256,
        };
        for (id, name) in [(1, "master"), (2, "tempdb"), (4, "msdb")] {
            state.add_database(name);
            state.databases.get_mut(name).expect("added").id = id;
        }
        state
    }

    pub(super) fn number(&mut self) -> i32 {
        self.next += 1;
        self.next
    }

    pub(super) fn add_database(&mut self, name: &str) {
        let database = Database {
            id: self.number(),
            roles: FIXED_DATABASE_ROLES.map(str::to_owned).into(),
            ..Database::default()
        };
        self.databases.insert(name.to_owned(), database);
    }

    /// "Msg 18456" and its kin.
    pub(super) fn enter(&mut self, who: &Login7) -> Result<Session, Refusal> {
        let entered = self.let_in(who);
        if entered.is_err() {
            self.refused_logins += 1;
        }
        entered
    }

    fn let_in(&mut self, who: &Login7) -> Result<Session, Refusal> {
        let failed =
            |number| Refusal::new(number, format!("Login failed for user '{}'.", who.user));
        let database = if who.database.is_empty() {
            "master"
        } else {
            &who.database
        };
        // "Contained database users": where there is one of that name, it alone is asked.
        let contained = self.databases.get(database).filter(|it| it.contained);
        let user = contained.and_then(|it| it.users.get(&who.user));
        if let Some(user) = user.filter(|user| user.sid.is_none()) {
            if user.password != who.password {
                return Err(failed(18_456));
            }
            return Ok(Session {
                login: None,
                user: Some(who.user.clone()),
                database: database.to_owned(),
            });
        }
        let lock_after = self.lock_after;
        let login = self
            .logins
            .get_mut(&who.user)
            .ok_or_else(|| failed(18_456))?;
        if login.condition == Condition::Locked {
            return Err(failed(18_486));
        }
        if login.password != who.password {
            login.failed += 1;
            if login.policy && lock_after.is_some_and(|limit| login.failed >= limit) {
                login.condition = Condition::Locked;
            }
            return Err(failed(18_456));
        }
        login.failed = 0;
        match login.condition {
            _ if login.disabled => return Err(failed(18_470)),
            Condition::Expired => return Err(failed(18_487)),
            Condition::MustChange => return Err(failed(18_488)),
            Condition::Fine | Condition::TooRecent | Condition::Locked => {}
        }
        let session = Session {
            login: Some(who.user.clone()),
            user: None,
            database: "master".to_owned(),
        };
        if !self.may_enter(&session, database) {
            return Err(Refusal::new(4060, "Cannot open database."));
        }
        Ok(Session {
            database: database.to_owned(),
            ..session
        })
    }

    pub(super) fn login_of(&self, session: &Session) -> Option<&Login> {
        self.logins.get(session.login.as_ref()?)
    }

    /// The user of the session in a database.
    pub(super) fn user_in<'s>(
        &'s self,
        session: &Session,
        database: &str,
    ) -> Option<(&'s String, &'s User)> {
        let database = self.databases.get(database)?;
        if let Some(user) = &session.user {
            return database.users.get_key_value(user);
        }
        let sid = self.login_of(session)?.sid;
        let mut users = database.users.iter();
        users.find(|(_, user)| user.sid == Some(sid))
    }

    pub(super) fn is_sysadmin(&self, session: &Session) -> bool {
        self.login_of(session).is_some_and(|login| {
            login.roles.contains(SYSADMIN) || has(&login.rights, "CONTROL SERVER")
        })
    }

    /// A right at the server.
    pub(super) fn may(&self, session: &Session, permission: &str) -> bool {
        let login = self.login_of(session);
        self.is_sysadmin(session) || login.is_some_and(|login| has(&login.rights, permission))
    }

    pub(super) fn may_enter(&self, session: &Session, name: &str) -> bool {
        let Some(database) = self.databases.get(name) else {
            return false;
        };
        if database.offline {
            return false;
        }
        if session.user.is_some() {
            return session.database == name;
        }
        // Where the user `guest` lets everybody in.
        let is_open = ["master", "tempdb", "msdb"].contains(&name);
        let user = self.user_in(session, name);
        self.is_sysadmin(session)
            || is_open
            || user.is_some_and(|(_, user)| has(&user.rights, "CONNECT"))
    }

    pub(super) fn owns_database(&self, session: &Session, name: &str) -> bool {
        let user = self.user_in(session, name);
        self.is_sysadmin(session) || user.is_some_and(|(_, user)| user.roles.contains(DB_OWNER))
    }
}

fn has(rights: &Rights, permission: &str) -> bool {
    let state = rights.get(&(permission.to_owned(), None));
    state.is_some_and(|state| state != "DENY")
}

impl Database {
    /// Whether a right may be on it.
    pub(super) fn holds(&self, on: &Securable) -> bool {
        match on.kind.as_deref() {
            Some("DATABASE_ROLE") => self.roles.contains(&on.name),
            Some(_) => self.users.contains_key(&on.name),
            None => self.things.contains(on),
        }
    }
}
