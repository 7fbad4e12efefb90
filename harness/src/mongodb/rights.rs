//! Who may do what: roles as lists of actions, checked as the server does
//! (`src/mongo/db/commands/user_management_commands_common.cpp`).

use std::collections::BTreeMap;

use super::state::Refusal;

/// A name in a database.
pub(super) type Name = (String, String);

/// Actions on a database; the empty name stands for every one.
type Privileges = Vec<(String, Vec<String>)>;

/// The roles that there are. Those that say nothing about users grant nothing here.
#[derive(Debug)]
pub(super) struct Roles(BTreeMap<Name, Privileges>);

/// All that may be done to users.
const ALL: [&str; 9] = [
    "changeCustomData",
    "changeOwnCustomData",
    "changeOwnPassword",
    "changePassword",
    "createUser",
    "grantRole",
    "revokeRole",
    "setAuthenticationRestriction",
    "viewUser",
];

/// Roles that each database has.
const BUILT_IN: [&str; 4] = ["read", "readWrite", "dbAdmin", "dbOwner"];

impl Roles {
    pub(super) fn built_in() -> Self {
        let all: Vec<_> = ALL.map(str::to_owned).to_vec();
        let admin = |role: &str| ("admin".to_owned(), role.to_owned());
        let everywhere = vec![(String::new(), all)];
        Self(BTreeMap::from([
            (admin("userAdminAnyDatabase"), everywhere.clone()),
            (admin("root"), everywhere),
        ]))
    }

    pub(super) fn define(&mut self, name: Name, privileges: Privileges) {
        self.0.insert(name, privileges);
    }

    pub(super) fn drop(&mut self, name: &Name) {
        self.0.remove(name);
    }

    pub(super) fn check_exist(&self, roles: &[Name]) -> Result<(), Refusal> {
        let known = |role: &Name| BUILT_IN.contains(&role.1.as_str()) || self.0.contains_key(role);
        if roles.iter().all(known) {
            return Ok(());
        }
        Err(Refusal(31, "Could not find role"))
    }

    /// Whether one of these roles holds the action on that database; the empty name asks for every one.
    pub(super) fn allow(&self, roles: &[Name], action: &str, database: &str) -> bool {
        let privileges = roles.iter().filter_map(|role| self.0.get(role)).flatten();
        let mut fitting = privileges.filter(|(on, _)| on.is_empty() || on == database);
        fitting.any(|(_, actions)| actions.iter().any(|one| one == action))
    }
}
