//! A user with all kinds of rights, and what the tests find out about it by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use harness::mysql::{Builder, Edition, Server};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};
use rotators::mysql::{AlternatingUsers, PairSettings};
use secrets_core::document::SecretDocument;
use secrets_core::rotation::Rotation;
use secrets_core::store::Label;
use secrets_core::store::memory::MemoryStore;
use serde_json::json;

use crate::support::{ADMIN, Either, Fixture, account, is_mysql, literal};

pub(crate) type Alternating = Rotation<MemoryStore, AlternatingUsers<MemoryStore>>;

/// Scenarios on one server, on both servers; each scenario has users of its own.
macro_rules! on_both {
    ($group:ident: $($scenario:ident),+ $(,)?) => {
        mod $group {
            async fn all<E: harness::mysql::Edition>() {
                let mut pair = crate::pair::Pair::<E>::start().await;
                $(
                    println!(stringify!($scenario));
                    super::$scenario(&mut pair).await;
                )+
            }

            #[tokio::test]
            async fn on_mysql() {
                all::<harness::mysql::MySql>().await;
            }

            #[tokio::test]
            async fn on_mariadb() {
                all::<harness::mariadb::MariaDb>().await;
            }
        }
    };
}
pub(crate) use on_both;

/// What docs/mysql.md says of an admin of pairs, but the rights that it has to give on.
pub(crate) const ADMIN_OF_PAIRS: Either = Either {
    mysql: &[
        "GRANT CREATE USER, ROLE_ADMIN ON *.* TO admin",
        "GRANT SELECT ON mysql.* TO admin",
    ],
    mariadb: &[
        "GRANT CREATE USER ON *.* TO admin",
        "GRANT SELECT, UPDATE ON mysql.* TO admin",
    ],
};

/// An admin that may give on everything, as that of Amazon RDS may nearly.
pub(crate) const OMNIPOTENT: Either = Either {
    mysql: &[
        "GRANT ALL PRIVILEGES ON *.* TO admin WITH GRANT OPTION",
        "GRANT PROXY ON ''@'' TO admin WITH GRANT OPTION",
    ],
    mariadb: &[
        "GRANT ALL PRIVILEGES ON *.* TO admin WITH GRANT OPTION",
        "GRANT PROXY ON ''@'%' TO admin WITH GRANT OPTION",
        "GRANT reader TO admin WITH ADMIN OPTION",
        "GRANT writer TO admin WITH ADMIN OPTION",
        "GRANT `odd role` TO admin WITH ADMIN OPTION",
    ],
};

/// What both servers know; `$` is the user.
const RIGHTS: &[&str] = &[
    "GRANT SELECT, INSERT ON shop.* TO $",
    "GRANT ALL PRIVILEGES ON `all``of it`.* TO $ WITH GRANT OPTION",
    r"GRANT SELECT ON `sh\_op%`.* TO $",
    "GRANT SELECT (a, `b,c)`), INSERT (a), DELETE ON `odd``db`.`t TO x` TO $ WITH GRANT OPTION",
    "GRANT UPDATE (a) ON shop.goods TO $",
    "GRANT EXECUTE ON PROCEDURE shop.p TO $",
    "GRANT EXECUTE, ALTER ROUTINE ON FUNCTION shop.f TO $ WITH GRANT OPTION",
    "GRANT RELOAD, PROCESS ON *.* TO $",
    "GRANT PROXY ON other TO $ WITH GRANT OPTION",
    "GRANT reader TO $",
    "GRANT `odd role` TO $",
    "GRANT writer TO $ WITH ADMIN OPTION",
    "ALTER USER $ WITH MAX_USER_CONNECTIONS 20 PASSWORD EXPIRE INTERVAL 90 DAY",
];
const ONLY: Either = Either {
    mysql: &[
        "GRANT BACKUP_ADMIN ON *.* TO $",
        "GRANT XA_RECOVER_ADMIN ON *.* TO $ WITH GRANT OPTION",
        "GRANT SHOW VIEW ON *.* TO $",
        "REVOKE SHOW VIEW ON mysql.* FROM $",
        "ALTER USER $ FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1 PASSWORD HISTORY 3 PASSWORD REQUIRE CURRENT OPTIONAL",
        "SET DEFAULT ROLE reader, writer TO $",
    ],
    mariadb: &[
        "SET DEFAULT ROLE reader FOR $",
        "ALTER USER $ WITH MAX_STATEMENT_TIME 30",
    ],
};

/// One of each kind.
pub(crate) const RIGHTS_OF_A_SHOPPER: Either = Either {
    mysql: &[
        "GRANT SELECT ON shop.* TO $; GRANT SHOW VIEW ON *.* TO $; GRANT BACKUP_ADMIN ON *.* TO $; \
         GRANT INSERT (a), DELETE ON shop.goods TO $ WITH GRANT OPTION; GRANT EXECUTE ON FUNCTION shop.f TO $; \
         GRANT reader TO $; GRANT writer TO $ WITH ADMIN OPTION; SET DEFAULT ROLE reader TO $; \
         ALTER USER $ WITH MAX_USER_CONNECTIONS 20 PASSWORD EXPIRE INTERVAL 90 DAY",
    ],
    mariadb: &["GRANT SELECT ON shop.* TO $; GRANT SHOW VIEW ON *.* TO $; \
         GRANT INSERT (a), DELETE ON shop.goods TO $ WITH GRANT OPTION; GRANT EXECUTE ON FUNCTION shop.f TO $; \
         GRANT reader TO $; GRANT writer TO $ WITH ADMIN OPTION; SET DEFAULT ROLE reader FOR $; \
         ALTER USER $ WITH MAX_USER_CONNECTIONS 20 PASSWORD EXPIRE INTERVAL 90 DAY"],
};

/// For which such a user exists.
pub(crate) const HOSTS: [&str; 3] = ["%", "localhost", "10.1.%"];

pub(crate) struct Pair<E>(pub(crate) Fixture<E>);

impl<E> Deref for Pair<E> {
    type Target = Fixture<E>;

    fn deref(&self) -> &Fixture<E> {
        &self.0
    }
}

/// A server with what rights can be about.
pub(crate) async fn with_objects<E: Edition>(builder: Builder<E>) -> Fixture<E> {
    let builder = if is_mysql::<E>() {
        builder.setting("partial_revokes", "ON")
    } else {
        builder
    };
    let fixture = Fixture::start_with(builder).await;
    for statement in [
        "CREATE DATABASE shop",
        "CREATE DATABASE `all``of it`",
        "CREATE DATABASE `odd``db`",
        "CREATE TABLE shop.goods (a INT, b INT)",
        "CREATE TABLE `odd``db`.`t TO x` (a INT, `b,c)` INT)",
        "CREATE PROCEDURE shop.p() SELECT 1",
        "CREATE FUNCTION shop.f() RETURNS INT DETERMINISTIC RETURN 1",
        "CREATE USER other IDENTIFIED BY 'sentinel-other'",
        "CREATE ROLE reader, writer, `odd role`",
        "GRANT SELECT ON `odd``db`.* TO reader",
    ] {
        fixture.root(statement).await;
    }
    fixture
}

impl<E: Edition> Pair<E> {
    /// A server with an admin who may give on everything.
    pub(crate) async fn start() -> Self {
        Self::start_with(Server::<E>::builder()).await
    }

    pub(crate) async fn start_with(builder: Builder<E>) -> Self {
        let fixture = with_objects(builder).await;
        fixture.add_admin(OMNIPOTENT.get::<E>()).await;
        Self(fixture)
    }

    /// A user of all kinds of rights for several hosts; its secret is the one that rotates from now on.
    pub(crate) async fn another(&mut self, name: &str) {
        self.0.add_user(name, &HOSTS).await;
        let hosts = ["%", "localhost"].map(|host| account(name, host));
        let rights = RIGHTS.iter().chain(ONLY.get::<E>());
        let mut statements: Vec<_> = rights
            .flat_map(|right| hosts.iter().map(|host| right.replace('$', host)))
            .collect();
        // Nobody comes from there: it could not log in over a socket.
        let elsewhere = account(name, HOSTS[2]);
        let require = r"REQUIRE SUBJECT '/CN=o''x\\' AND ISSUER ' TO `x`' AND CIPHER 'x'";
        statements.push(format!("ALTER USER {elsewhere} {require}"));
        self.root(&statements.join("; ")).await;
        self.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    }

    /// A user for one host with these rights; `$` is the user. Its secret is the one that rotates.
    pub(crate) async fn plain(&mut self, name: &str, rights: &[&str]) {
        self.0.add_user(name, &["%"]).await;
        for right in rights {
            self.root(&right.replace('$', &account(name, "%"))).await;
        }
        self.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    }

    /// An admin of that name with these grants (to `admin`), and its secret, `arn:` and the name.
    pub(crate) async fn another_admin(&self, name: &str, grants: &[&str]) {
        self.root(&format!(
            "CREATE USER {name} IDENTIFIED BY {}",
            literal(ADMIN)
        ))
        .await;
        for grant in grants {
            self.grant_admin(name, grant).await;
        }
        let secret = json!({"host": "127.0.0.1", "username": name, "password": ADMIN}).to_string();
        let secret = SecretDocument::from_text(&secret);
        let id = format!("arn:{name}");
        let put = self
            .store
            .put_current(&id.as_str().into(), &"1".into(), &secret);
        put.expect("a new version");
    }

    pub(crate) async fn grant_admin(&self, name: &str, grant: &str) {
        self.root(&grant.replace("TO admin", &format!("TO {name}")))
            .await;
    }

    /// The user in use.
    pub(crate) async fn current_user(&self) -> String {
        self.value(&Label::Current, "username")
            .await
            .expect("a user")
    }

    pub(crate) fn alternating(&self) -> Alternating {
        self.alternating_as(PairSettings::default())
    }

    pub(crate) fn alternating_as(&self, pair: PairSettings) -> Alternating {
        let store = self.store.clone();
        let rotator = AlternatingUsers::new(store.clone(), self.settings(), pair);
        Rotation::new(store, rotator)
    }

    /// All that the server's tables hold of a user, but passwords and times.
    pub(crate) async fn listing(&self, user: &str) -> BTreeSet<String> {
        let tables = if is_mysql::<E>() {
            &[
                ("user", "user"),
                ("db", "user"),
                ("tables_priv", "user"),
                ("columns_priv", "user"),
                ("procs_priv", "user"),
                ("proxies_priv", "user"),
                ("global_grants", "user"),
                ("role_edges", "to_user"),
                ("default_roles", "user"),
            ][..]
        } else {
            &[
                ("global_priv", "user"),
                ("db", "user"),
                ("tables_priv", "user"),
                ("columns_priv", "user"),
                ("procs_priv", "user"),
                ("proxies_priv", "user"),
                ("roles_mapping", "user"),
            ]
        };
        let mut root = self.root_session().await;
        let mut listing = BTreeSet::new();
        for (table, column) in tables {
            // Both servers write names into `procs_priv` as if UTF-8 were Latin 1.
            let name = literal(user);
            let rows = format!(
                "SELECT * FROM mysql.{table} WHERE {column} IN ({name}, CONVERT(BINARY {name} USING latin1))"
            );
            let rows: Vec<Row> = root.query(&rows).await.expect("a table");
            listing.extend(
                rows.iter()
                    .map(|row| format!("{table} {:?}", line(row, column))),
            );
        }
        root.disconnect().await.expect("the end of a session");
        listing
    }

    pub(crate) async fn same_rights(&self, one: &str, two: &str) {
        let (one, two) = (self.listing(one).await, self.listing(two).await);
        assert!(one.len() > 15, "{one:#?}");
        let differ: Vec<_> = one.symmetric_difference(&two).collect();
        assert!(differ.is_empty(), "{differ:#?}");
    }

    /// What an application does with what is current.
    pub(crate) async fn current_works(&self) {
        self.shopper_works().await;
        let session = self.current_session().await;
        let statements = ["SELECT a FROM `odd``db`.`t TO x`"];
        self.runs(session, &statements).await;
    }

    /// The same, of a user with few rights.
    pub(crate) async fn shopper_works(&self) {
        let session = self.current_session().await;
        let statements = ["INSERT INTO shop.goods (a) VALUES (1)", "SELECT shop.f()"];
        self.runs(session, &statements).await;
    }

    pub(crate) async fn current_session(&self) -> Conn {
        let user = self.current_user().await;
        let password = self.value(&Label::Current, "password").await;
        let conn = self.connect(&user, &password.expect("a password")).await;
        conn.unwrap_or_else(|code| panic!("{user} is refused: {code}"))
    }

    /// Runs the statements and ends the session.
    pub(crate) async fn runs(&self, mut session: Conn, statements: &[&str]) {
        for statement in statements {
            let done = session.query_drop(*statement).await;
            done.unwrap_or_else(|fault| panic!("{statement}: {fault}"));
        }
        session.disconnect().await.expect("the end of a session");
    }
}

fn line(row: &Row, user: &str) -> BTreeMap<String, String> {
    let columns = row
        .columns_ref()
        .iter()
        .map(|column| column.name_str().to_lowercase());
    let values = row.clone().unwrap().into_iter().map(|value| match value {
        Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => format!("{other:?}"),
    });
    let mut line: BTreeMap<String, String> = columns.zip(values).collect();
    for left_out in [
        user,
        "authentication_string",
        "password_last_changed",
        "timestamp",
        "grantor",
    ] {
        line.remove(left_out);
    }
    // Case does not matter there, and `SHOW GRANTS` shows them in lower case.
    if let Some(name) = line.get_mut("routine_name") {
        *name = name.to_lowercase();
    }
    if let Some(text) = line.get_mut("priv").filter(|text| text.starts_with('{')) {
        let mut parsed: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let parsed = parsed.as_object_mut().expect("an object");
        for left_out in ["authentication_string", "password_last_changed", "auth_or"] {
            parsed.remove(left_out);
        }
        // What is not there means the same as these.
        parsed.retain(|_, value| {
            *value != -1 && *value != 0 && *value != 0.0 && *value != "" && *value != false
        });
        *text = format!("{parsed:?}");
    }
    line
}
