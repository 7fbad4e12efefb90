//! What the server keeps, and what each command does to it.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};

use super::Dialect;
use super::rights::{Name, Roles};
use super::scram::{Credential, SHA_1, SHA_256};

/// A code and words, as the server answers them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal(pub(super) i32, pub(super) &'static str);

/// A user as the server keeps it.
#[derive(Clone, Debug, Default)]
pub(super) struct User {
    pub(super) roles: Vec<Name>,
    pub(super) custom_data: Option<Document>,
    pub(super) restrictions: Option<Vec<Bson>>,
    pub(super) credentials: BTreeMap<&'static str, Credential>,
}

/// Users and roles.
#[derive(Debug)]
pub(super) struct State {
    pub(super) dialect: Dialect,
    pub(super) roles: Roles,
    pub(super) users: BTreeMap<Name, User>,
    /// All passwords that there ever were.
    pub(super) passwords: Vec<String>,
    /// What this server cannot do and was asked for.
    pub(super) unknown: Vec<String>,
}

/// What every command may hold besides its own fields.
const GENERIC: [&str; 5] = [
    "$db",
    "lsid",
    "$readPreference",
    "$clusterTime",
    "apiVersion",
];

const UNAUTHORIZED: Refusal = Refusal(13, "not authorized");

impl State {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            roles: Roles::built_in(),
            users: BTreeMap::new(),
            passwords: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// Runs a command that has nothing to do with the login of its sender.
    pub(super) fn run(
        &mut self,
        command: &Document,
        sender: Option<&Name>,
    ) -> Result<Document, Refusal> {
        let (name, value) = command.iter().next().ok_or(Refusal(59, "no command"))?;
        match name.as_str() {
            "ping" | "endSessions" => return Ok(doc! {}),
            "connectionStatus" => {
                let users = sender.map(|(db, user)| doc! {"user": user, "db": db});
                let users: Vec<_> = users.into_iter().collect();
                return Ok(doc! {"authInfo": {"authenticatedUsers": users}});
            }
            "usersInfo" | "createUser" | "updateUser" => {}
            unknown => {
                self.unknown.push(unknown.to_owned());
                return Err(Refusal(59, "no such command"));
            }
        }
        let database = command
            .get_str("$db")
            .map_err(|_| Refusal(40571, "OP_MSG requires $db"))?;
        let Some(sender) = sender else {
            return Err(Refusal(13, "command requires authentication"));
        };
        // Only in this form are users named here.
        let Bson::String(user) = value else {
            self.unknown.push(format!("{name}: {value:?}"));
            return Err(Refusal(2, "the name must be a string"));
        };
        let key = (database.to_owned(), user.clone());
        match name.as_str() {
            "usersInfo" => self.users_info(command, &key, sender),
            "createUser" => self.create_user(command, key, sender),
            _ => self.update_user(command, &key, sender),
        }
    }

    fn users_info(
        &mut self,
        command: &Document,
        key: &Name,
        sender: &Name,
    ) -> Result<Document, Refusal> {
        let option = "showAuthenticationRestrictions";
        if self.dialect == Dialect::DocumentDb && command.contains_key(option) {
            return Err(Refusal(303, "Feature not supported"));
        }
        self.check_fields(command, &["usersInfo", option])?;
        if key != sender {
            self.check(sender, "viewUser", &key.0)?;
        }
        let shown = command.get_bool(option).unwrap_or(false);
        let users: Vec<_> = self.shown(key, shown).into_iter().collect();
        Ok(doc! {"users": users})
    }

    /// A user as `usersInfo` shows it.
    pub(super) fn shown(&self, key: &Name, restrictions: bool) -> Option<Document> {
        let user = self.users.get(key)?;
        let roles = user
            .roles
            .iter()
            .map(|(db, role)| doc! {"role": role, "db": db});
        let mut shown = doc! {
            "_id": format!("{}.{}", key.0, key.1),
            "user": &key.1,
            "db": &key.0,
            "roles": roles.collect::<Vec<_>>(),
        };
        if let Some(data) = &user.custom_data {
            shown.insert("customData", data);
        }
        if self.dialect == Dialect::MongoDb {
            let mechanisms: Vec<_> = user.credentials.keys().copied().collect();
            shown.insert("mechanisms", mechanisms);
        }
        if restrictions {
            let own = user.restrictions.clone().unwrap_or_default();
            shown.insert("inheritedAuthenticationRestrictions", Vec::<Bson>::new());
            shown.insert("authenticationRestrictions", own);
        }
        Some(shown)
    }

    fn create_user(
        &mut self,
        command: &Document,
        key: Name,
        sender: &Name,
    ) -> Result<Document, Refusal> {
        let fields = [
            "createUser",
            "pwd",
            "roles",
            "customData",
            "authenticationRestrictions",
            "mechanisms",
            "writeConcern",
        ];
        self.check_fields(command, &fields)?;
        self.check(sender, "createUser", &key.0)?;
        let roles = roles(command)?.ok_or(Refusal(40414, "roles is missing"))?;
        for (database, _) in &roles {
            self.check(sender, "grantRole", database)?;
        }
        if command.contains_key("authenticationRestrictions") {
            self.check(sender, "setAuthenticationRestriction", &key.0)?;
        }
        if self.dialect == Dialect::DocumentDb && key.0 != "admin" {
            return Err(Refusal(303, "users are created in admin"));
        }
        if self.users.contains_key(&key) {
            return Err(Refusal(51003, "user already exists"));
        }
        self.roles.check_exist(&roles)?;
        let password = command
            .get_str("pwd")
            .map_err(|_| Refusal(2, "no password"))?;
        let user = User {
            roles,
            custom_data: command.get_document("customData").ok().cloned(),
            restrictions: command
                .get_array("authenticationRestrictions")
                .ok()
                .cloned(),
            credentials: self.credentials(command, &key.1, password)?,
        };
        self.users.insert(key, user);
        Ok(doc! {})
    }

    fn update_user(
        &mut self,
        command: &Document,
        key: &Name,
        sender: &Name,
    ) -> Result<Document, Refusal> {
        let fields = [
            "updateUser",
            "pwd",
            "roles",
            "customData",
            "authenticationRestrictions",
            "mechanisms",
            "writeConcern",
        ];
        self.check_fields(command, &fields)?;
        let password = command.get_str("pwd").ok();
        let own =
            |state: &Self, action| key == sender && state.check(sender, action, &key.0).is_ok();
        if password.is_some() && !own(self, "changeOwnPassword") {
            self.check(sender, "changePassword", &key.0)?;
        }
        if command.contains_key("customData") && !own(self, "changeOwnCustomData") {
            self.check(sender, "changeCustomData", &key.0)?;
        }
        let roles = roles(command)?;
        if let Some(roles) = &roles {
            self.check(sender, "revokeRole", "")?;
            for (database, _) in roles {
                self.check(sender, "grantRole", database)?;
            }
        }
        if command.contains_key("authenticationRestrictions") {
            self.check(sender, "setAuthenticationRestriction", &key.0)?;
        }
        if let Some(roles) = &roles {
            self.roles.check_exist(roles)?;
        }
        let credentials = match password {
            Some(password) => Some(self.credentials(command, &key.1, password)?),
            None if command.contains_key("mechanisms") => {
                self.unknown
                    .push("updateUser: mechanisms without pwd".to_owned());
                return Err(Refusal(2, "mechanisms without pwd"));
            }
            None => None,
        };
        let user = self
            .users
            .get_mut(key)
            .ok_or(Refusal(11, "user not found"))?;
        if let Some(credentials) = credentials {
            user.credentials = credentials;
        }
        if let Some(roles) = roles {
            user.roles = roles;
        }
        if let Ok(data) = command.get_document("customData") {
            user.custom_data = Some(data.clone());
        }
        if let Ok(restrictions) = command.get_array("authenticationRestrictions") {
            user.restrictions = (!restrictions.is_empty()).then(|| restrictions.clone());
        }
        Ok(doc! {})
    }

    /// What is stored: for the mechanisms that are named, else for all that the server has.
    pub(super) fn credentials(
        &mut self,
        command: &Document,
        user: &str,
        password: &str,
    ) -> Result<BTreeMap<&'static str, Credential>, Refusal> {
        let known: &[&'static str] = match self.dialect {
            Dialect::MongoDb => &[SHA_1, SHA_256],
            Dialect::DocumentDb => &[SHA_1],
        };
        let named: Vec<_> = match command.get_array("mechanisms") {
            Ok(names) => names.iter().filter_map(Bson::as_str).collect(),
            Err(_) => known.to_vec(),
        };
        self.passwords.push(password.to_owned());
        named
            .into_iter()
            .map(|name| {
                let known = known.iter().find(|known| **known == name);
                let mechanism = *known.ok_or(Refusal(2, "unknown mechanism"))?;
                let credential = Credential::new(mechanism, user, password);
                Ok((mechanism, credential.ok_or(Refusal(2, "not SASLprepped"))?))
            })
            .collect()
    }

    /// Servers refuse a field that they do not know; that one was sent is recorded.
    fn check_fields(&mut self, command: &Document, known: &[&str]) -> Result<(), Refusal> {
        let stranger = command
            .keys()
            .find(|key| !known.contains(&key.as_str()) && !GENERIC.contains(&key.as_str()));
        let Some(stranger) = stranger else {
            return Ok(());
        };
        self.unknown.push(format!("the field {stranger}"));
        Err(Refusal(40415, "unknown field"))
    }

    fn check(&self, sender: &Name, action: &str, database: &str) -> Result<(), Refusal> {
        let roles = self.users.get(sender).map(|user| user.roles.as_slice());
        if self
            .roles
            .allow(roles.unwrap_or_default(), action, database)
        {
            return Ok(());
        }
        Err(UNAUTHORIZED)
    }
}

/// The roles of a command; None: it says nothing about them.
fn roles(command: &Document) -> Result<Option<Vec<Name>>, Refusal> {
    let Ok(roles) = command.get_array("roles") else {
        return Ok(None);
    };
    let role = |role: &Bson| {
        let role = role.as_document()?;
        let text = |key| role.get_str(key).ok().map(str::to_owned);
        (role.len() == 2).then_some((text("db")?, text("role")?))
    };
    let roles: Option<Vec<_>> = roles.iter().map(role).collect();
    roles
        .map(Some)
        .ok_or(Refusal(9, "a role is a document with role and db"))
}
