//! What a test puts into the server before clients come.

use super::state::{Condition, Login, Securable, User};
use super::{SA, SqlServer};

impl SqlServer {
    /// A database.
    pub fn add_database(&self, name: &str) {
        self.shared.state().add_database(name);
    }

    /// A database that keeps passwords of its own.
    pub fn add_contained_database(&self, name: &str) {
        let mut state = self.shared.state();
        state.add_database(name);
        state.databases.get_mut(name).expect("added").contained = true;
    }

    /// Makes a database such that nothing in it can be changed; or takes it offline.
    pub fn freeze(&self, name: &str, is_read_only: bool, is_offline: bool) {
        let mut state = self.shared.state();
        let database = state.databases.get_mut(name).expect("a database");
        (database.read_only, database.offline) = (is_read_only, is_offline);
    }

    /// A login of that name, without policies.
    pub fn add_login(&self, name: &str, password: &str) {
        let mut state = self.shared.state();
        let login = Login {
            id: state.number(),
            sid: state.number(),
            password: password.to_owned(),
            database: "master".to_owned(),
            language: "us_english".to_owned(),
            ..Login::default()
        };
        state.logins.insert(name.to_owned(), login);
        drop(state);
        if name != SA {
            let grant = format!("GRANT CONNECT SQL TO {}", bracketed(name));
            self.execute("master", &grant);
        }
    }

    /// A role of the server, or of a database.
    pub fn add_role(&self, database: Option<&str>, role: &str) {
        let mut state = self.shared.state();
        match database {
            None => state.server_roles.insert(role.to_owned()),
            Some(name) => {
                let database = state.databases.get_mut(name).expect("a database");
                database.roles.insert(role.to_owned())
            }
        };
    }

    /// Something that a right may be on: its class as the catalogue has it, schema and name.
    pub fn add_thing(&self, database: &str, class: &str, schema: Option<&str>, name: &str) {
        self.add(database, class, schema, name, None);
    }

    /// A column of a table that is there.
    pub fn add_column(&self, database: &str, schema: &str, table: &str, column: &str) {
        let class = "OBJECT_OR_COLUMN";
        self.add(database, class, Some(schema), table, Some(column));
    }

    fn add(
        &self,
        database: &str,
        class: &str,
        schema: Option<&str>,
        name: &str,
        column: Option<&str>,
    ) {
        let thing = Securable {
            class: class.to_owned(),
            kind: None,
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            column: column.map(str::to_owned),
        };
        let mut state = self.shared.state();
        let database = state.databases.get_mut(database).expect("a database");
        database.things.insert(thing);
    }

    /// An endpoint of the server.
    pub fn add_endpoint(&self, name: &str) {
        self.shared.state().endpoints.insert(name.to_owned());
    }

    /// Makes a login the owner of a database: its user there is `dbo`.
    pub fn set_owner(&self, database: &str, login: &str) {
        let mut state = self.shared.state();
        let dbo = User {
            id: 1,
            sid: Some(state.logins[login].sid),
            ..User::default()
        };
        let database = state.databases.get_mut(database).expect("a database");
        database.users.insert("dbo".to_owned(), dbo);
    }

    /// Makes the user of a database the owner of so many things in it.
    pub fn set_owned(&self, database: &str, user: &str, count: i32) {
        let mut state = self.shared.state();
        let database = state.databases.get_mut(database).expect("a database");
        database.users.get_mut(user).expect("a user").owns = count;
    }

    /// A right that is written into the catalogue as it stands, such as of a class that GRANT does not know.
    pub fn set_right(
        &self,
        database: &str,
        user: &str,
        class: &str,
        permission: &str,
        state: &str,
    ) {
        let on = Securable {
            class: class.to_owned(),
            kind: None,
            schema: None,
            name: "x".to_owned(),
            column: None,
        };
        let mut all = self.shared.state();
        let database = all.databases.get_mut(database).expect("a database");
        let rights = &mut database.users.get_mut(user).expect("a user").rights;
        rights.insert((permission.to_owned(), Some(on)), state.to_owned());
    }

    /// What keeps a login out from now on.
    pub fn set_condition(&self, login: &str, condition: Condition) {
        let mut state = self.shared.state();
        state.logins.get_mut(login).expect("a login").condition = condition;
    }

    /// Locks logins that check policies after so many wrong passwords.
    pub fn lock_after(&self, wrong: usize) {
        self.shared.state().lock_after = Some(wrong);
    }
}

fn bracketed(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}
