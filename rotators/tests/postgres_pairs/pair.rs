//! A user with rights of every kind, an admin with the rights that the documentation names, and what a
//! superuser sees of them.

use std::collections::BTreeSet;
use std::ops::Deref;

use harness::postgres::PostgresBuilder;
use rotators::postgres::{AlternatingUsers, PairLayout, PairSettings};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotation::{Outcome, Rotation, RotationError};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::support::{FIRST, Fixture, merge};

pub(crate) type PairRotation = Rotation<MemoryStore, AlternatingUsers<MemoryStore>>;

pub(crate) const ADMIN: &str = "sentinel-Admin-4711";

/// What there is to have rights on.
const OBJECTS: &str = r"
    CREATE ROLE readers;
    CREATE SCHEMA work;
    CREATE TABLE work.shared (id int, note text);
    CREATE TABLE work.read (id int);
    GRANT SELECT ON work.read TO readers;
    CREATE SEQUENCE work.numbers;
    CREATE FUNCTION work.answer() RETURNS int LANGUAGE sql AS 'SELECT 42';
    REVOKE EXECUTE ON FUNCTION work.answer() FROM PUBLIC;
    CREATE TABLE work.rows (who text);
    ALTER TABLE work.rows ENABLE ROW LEVEL SECURITY;
";

/// Rights of each kind, for the user of which `{user}` is the quoted name.
const RIGHTS: &str = r#"
    CREATE ROLE {user} LOGIN CONNECTION LIMIT 20 PASSWORD '{first}';
    GRANT readers TO {user};
    GRANT USAGE, CREATE ON SCHEMA work TO {user};
    GRANT SELECT, INSERT ON work.shared TO {user};
    GRANT UPDATE (note) ON work.shared TO {user};
    GRANT DELETE ON work.shared TO {user} WITH GRANT OPTION;
    GRANT USAGE ON SEQUENCE work.numbers TO {user};
    GRANT EXECUTE ON FUNCTION work.answer() TO {user};
    DROP TABLE IF EXISTS work.own;
    CREATE TABLE work.own (id serial, note text);
    ALTER TABLE work.own OWNER TO {user};
    GRANT SELECT ON work.own TO readers;
    ALTER DEFAULT PRIVILEGES FOR ROLE {user} GRANT SELECT ON TABLES TO readers;
    ALTER DEFAULT PRIVILEGES IN SCHEMA work GRANT SELECT ON TABLES TO {user};
    DROP POLICY IF EXISTS all_rows ON work.rows;
    CREATE POLICY all_rows ON work.rows TO {user} USING (true);
    GRANT SELECT ON work.rows TO {user};
    ALTER ROLE {user} SET search_path = "$user", work, "Odd, ""name""", public;
    ALTER ROLE {user} SET statement_timeout = '17s';
    ALTER ROLE {user} SET my_app.mode = 'a, "b" \ c''s';
    ALTER ROLE {user} IN DATABASE postgres SET work_mem = '5MB';
"#;

const RIGHTS_ELSEWHERE: &str = "
    GRANT SELECT ON far TO {user};
    DROP TABLE IF EXISTS far_own; CREATE TABLE far_own (id int); ALTER TABLE far_own OWNER TO {user}";

pub(crate) struct Pair {
    pub(crate) fixture: Fixture,
    pub(crate) user: String,
}

impl Deref for Pair {
    type Target = Fixture;
    fn deref(&self) -> &Fixture {
        &self.fixture
    }
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Pair {
    /// A server with the user, another database in which it has something, and an admin who may do what
    /// the documentation says.
    pub(crate) async fn start(builder: PostgresBuilder, user: &str) -> Self {
        let fixture = Fixture::start(builder).await;
        fixture.admin("DROP ROLE app").await;
        fixture.admin(OBJECTS).await;
        fixture.admin("CREATE DATABASE elsewhere").await;
        let there = fixture.server.admin_of("elsewhere").await;
        let far = there.batch_execute("CREATE TABLE far (id int)").await;
        far.expect("a table");
        fixture
            .admin(&format!(
                "CREATE ROLE manager LOGIN CREATEROLE PASSWORD '{ADMIN}'"
            ))
            .await;
        // For a setting that the server does not know.
        fixture
            .admin("GRANT SET ON PARAMETER my_app.mode TO manager")
            .await;
        let admin = json!({
            "engine": "postgres", "host": fixture.server.host(), "username": "manager", "password": ADMIN,
        });
        fixture.put_admin("first", &admin);
        let mut pair = Self {
            fixture,
            user: String::new(),
        };
        pair.another(user).await;
        pair
    }

    /// A new user, whose secret is the one that rotates from now on.
    pub(crate) async fn another(&mut self, user: &str) {
        user.clone_into(&mut self.user);
        self.fixture.stored.secret = format!("arn:pair of {user}").into();
        let fill = |rights: &str| {
            rights
                .replace("{user}", &quoted(user))
                .replace("{first}", FIRST)
        };
        self.admin(&fill(RIGHTS)).await;
        let there = self.server.admin_of("elsewhere").await;
        let done = there.batch_execute(&fill(RIGHTS_ELSEWHERE)).await;
        done.expect("rights");
        self.grant_admin(user).await;
        self.put_current("first", &self.secret(&json!({})));
    }

    /// What the documentation tells to grant.
    pub(crate) async fn grant_admin(&self, user: &str) {
        if self.server.major() >= 16 {
            let grant = "GRANT {user} TO manager WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";
            self.admin(&grant.replace("{user}", &quoted(user))).await;
        }
    }

    /// The first value of the secret, and `extra`.
    pub(crate) fn secret(&self, extra: &Value) -> SecretDocument {
        let mut all = json!({"username": self.user, "password": FIRST, "masterarn": "arn:admin"});
        merge(&mut all, extra);
        self.fixture.document(&all)
    }

    pub(crate) fn clone_name(&self) -> String {
        format!("{}_clone", self.user)
    }

    pub(crate) fn pair_rotation(&self, layout: PairLayout) -> PairRotation {
        let mut settings = PairSettings::default();
        settings.layout = layout;
        self.pair_rotation_with(settings)
    }

    pub(crate) fn pair_rotation_with(&self, pair: PairSettings) -> PairRotation {
        let rotator = AlternatingUsers::new(self.store.clone(), self.settings(), pair);
        Rotation::new(self.store.clone(), rotator)
    }

    /// A rotation that comes to its end: the current user is `user`, has all that the first one had, and
    /// the one before still logs in.
    pub(crate) async fn turns_to(
        &self,
        rotation: &PairRotation,
        version: &str,
        user: &str,
    ) -> Result<(), RotationError> {
        let rotated = self.rotate(rotation, version).await?;
        assert_eq!(rotated[3], Outcome::Promoted);
        assert_eq!(self.login(&Label::Current).await.0, user);
        self.both_work().await;
        Ok(())
    }

    /// The user and the password under a label.
    pub(crate) async fn login(&self, label: &Label) -> (String, String) {
        let version = Version::Labelled(label.clone());
        let read = self.store.get(&self.secret, &version).await;
        let document = read.expect("a version").document;
        let text = |key| document.text(key).expect(key).expose_secret().to_owned();
        (text("username"), text("password"))
    }

    pub(crate) async fn session(&self, label: &Label) -> Client {
        let (user, password) = self.login(label).await;
        let session = self.log_in(&user, &password).await;
        session.unwrap_or_else(|code| panic!("{label} is refused: {code}"))
    }

    /// What `AWSCURRENT` and `AWSPREVIOUS` hold logs in and does its work.
    pub(crate) async fn both_work(&self) {
        for label in [Label::Current, Label::Previous] {
            let session = self.session(&label).await;
            works(&session)
                .await
                .unwrap_or_else(|fault| panic!("{label}: {fault}"));
        }
    }

    /// All that a superuser sees of what a role may do, in both databases, without a word of the code
    /// under test.
    pub(crate) async fn rights_of(&self, role: &str) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for database in ["postgres", "elsewhere"] {
            let admin = self.server.admin_of(database).await;
            let skipped = [self.user.clone(), self.clone_name()];
            let skipped = skipped.as_slice();
            for row in admin
                .query(LISTING, &[&role, &skipped])
                .await
                .expect(LISTING)
            {
                all.insert(format!("{database}: {}", row.get::<_, String>(0)));
            }
        }
        all
    }

    /// Both users may do the same, and what the first one could at the beginning.
    pub(crate) async fn same_rights(&self, before: &BTreeSet<String>) {
        let (one, two) = (
            self.rights_of(&self.user).await,
            self.rights_of(&self.clone_name()).await,
        );
        let difference: Vec<_> = one.symmetric_difference(&two).collect();
        assert!(difference.is_empty(), "{difference:#?}");
        let lost: Vec<_> = before.difference(&one).collect();
        assert!(lost.is_empty(), "lost: {lost:#?}");
    }
}

/// What the application does all day.
pub(crate) async fn works(session: &Client) -> Result<(), String> {
    for statement in [
        "INSERT INTO work.shared SELECT 1; UPDATE work.shared SET note = 'x'; DELETE FROM work.shared WHERE false",
        "SELECT id FROM read; SELECT nextval('work.numbers'); SELECT work.answer()",
        "INSERT INTO own (note) VALUES ('x'); TRUNCATE work.own; SELECT * FROM work.rows",
        "CREATE TABLE work.made (id int); DROP TABLE work.made",
        "SELECT 1 / (current_setting('statement_timeout') = '17s')::int",
        "SELECT 1 / (current_setting('work_mem') = '5MB')::int",
        "SELECT 1 / (current_setting('my_app.mode') = E'a, \"b\" \\\\ c''s')::int",
    ] {
        let done = session.batch_execute(statement).await;
        done.map_err(|fault| format!("{statement}: {fault:?}"))?;
    }
    Ok(())
}

const LISTING: &str = r"
    SELECT format('table %s %s', c.oid::regclass, p) FROM pg_class c,
        unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE','REFERENCES','TRIGGER',
            'DELETE WITH GRANT OPTION']) p
        WHERE relkind IN ('r', 'p', 'v', 'm') AND c.oid > 16383
        AND has_table_privilege($1::text, c.oid, p)
    UNION ALL SELECT format('column %s.%s %s', attrelid::regclass, attname, p) FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid, unnest(ARRAY['SELECT','INSERT','UPDATE','REFERENCES']) p
        WHERE relkind = 'r' AND attnum > 0 AND attrelid > 16383
        AND has_column_privilege($1::text, attrelid, attnum, p)
    UNION ALL SELECT format('sequence %s %s', c.oid::regclass, p) FROM pg_class c,
        unnest(ARRAY['USAGE','SELECT','UPDATE']) p
        WHERE relkind = 'S' AND c.oid > 16383 AND has_sequence_privilege($1::text, c.oid, p)
    UNION ALL SELECT format('function %s', f.oid::regprocedure) FROM pg_proc f
        WHERE f.oid > 16383 AND has_function_privilege($1::text, f.oid, 'EXECUTE')
    UNION ALL SELECT format('schema %s %s', nspname, p) FROM pg_namespace,
        unnest(ARRAY['USAGE','CREATE']) p WHERE has_schema_privilege($1::text, oid, p)
    UNION ALL SELECT format('database %s %s', datname, p) FROM pg_database,
        unnest(ARRAY['CONNECT','CREATE','TEMPORARY']) p WHERE has_database_privilege($1::text, oid, p)
    UNION ALL SELECT format('owner of %s', c.oid::regclass) FROM pg_class c
        WHERE relkind = 'r' AND pg_has_role($1::text, relowner, 'USAGE')
    UNION ALL SELECT format('role %s %s', rolname, p) FROM pg_roles, unnest(ARRAY['USAGE','MEMBER']) p
        WHERE rolname <> ALL ($2::text[]) AND pg_has_role($1::text, oid, p)
    UNION ALL SELECT format('policy %s', polname) FROM pg_policy, unnest(polroles) r
        WHERE r = 0 OR pg_has_role($1::text, r, 'USAGE')
    UNION ALL SELECT format('limits %s %s %s %s %s %s %s', rolsuper, rolcreaterole, rolcreatedb,
        rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil IS NULL) FROM pg_roles WHERE rolname = $1
    UNION ALL SELECT format('setting %s %s', setdatabase, s) FROM pg_db_role_setting, unnest(setconfig) s
        WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = $1) AND s NOT LIKE 'role=%'
    UNION ALL SELECT format('default %s %s %s', defaclrole::regrole, defaclobjtype, privilege_type)
        FROM pg_default_acl, aclexplode(defaclacl) WHERE pg_has_role($1::text, grantee, 'USAGE')
        AND defaclrole::regrole::text = 'postgres'
";
