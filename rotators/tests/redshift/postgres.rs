//! What a rotation sends to Redshift that PostgreSQL has, too: a real PostgreSQL 15 takes it.

use std::time::Duration;

use harness::postgres::PostgresServer;
use harness::redshift::{Kind, RedshiftFake, StoredAs};
use rotators::redshift::{PasswordHash, RedshiftCredential, SingleUser};
use secrets_core::document::SecretDocument;
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::memory::MemoryStore;
use serde_json::json;
use tokio::time::Instant;

use crate::support::{FIRST, Fixture, settings};

/// What PostgreSQL does not know, or knows as something else.
const REDSHIFTS_OWN: [&str; 6] = [
    "LOGIN",
    "svv_",
    "pg_proc_info",
    "enable_case_sensitive_identifier",
    "SESSION TIMEOUT",
    "SYSLOG ACCESS",
];

#[tokio::test]
async fn a_pair_is_made_by_the_same_statements() {
    let fixture = Fixture::start("app", StoredAs::Md5).await;
    let owner = RedshiftFake::SUPERUSER;
    fixture.fake.add(Kind::Schema, &["Work"], owner);
    fixture.fake.add(Kind::Table, &["Work", "Shared"], owner);
    fixture.fake.add(
        Kind::Function,
        &["Work", "f", "integer, character varying"],
        owner,
    );
    fixture.fake.add(Kind::Table, &["Work", "own"], "app");
    fixture.fake.run(
        "CREATE GROUP \"Readers\"
         ALTER GROUP \"Readers\" ADD USER app
         ALTER USER app CREATEDB CONNECTION LIMIT 9
         ALTER USER app SET search_path TO 'Work', 'public'
         GRANT CREATE, TEMP ON DATABASE dev TO app
         GRANT USAGE ON SCHEMA \"Work\" TO app
         GRANT SELECT ON TABLE \"Work\".\"Shared\" TO app
         GRANT INSERT ON TABLE \"Work\".\"Shared\" TO app WITH GRANT OPTION
         GRANT UPDATE (note) ON TABLE \"Work\".\"Shared\" TO app
         GRANT EXECUTE ON FUNCTION \"Work\".f(integer, character varying) TO app
         ALTER DEFAULT PRIVILEGES FOR USER app GRANT SELECT ON TABLES TO GROUP \"Readers\"",
    );
    let mut settings = settings();
    settings.password_hash = PasswordHash::Md5;
    let (clone, password) = fixture.rotates(&fixture.pair(), "second").await;

    let postgres = PostgresServer::builder()
        .major(15)
        .setting("password_encryption", "md5")
        .hba("hostssl all all 127.0.0.1/32 md5")
        .start()
        .await;
    let admin = postgres.admin().await;
    for stage in [
        "CREATE DATABASE dev",
        "CREATE SCHEMA \"Work\"",
        "CREATE TABLE \"Work\".\"Shared\" (id int, note text)",
        "CREATE TABLE \"Work\".own (id int)",
        "CREATE FUNCTION \"Work\".f(integer, character varying) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE USER app",
        "CREATE GROUP \"Readers\"",
    ] {
        admin.batch_execute(stage).await.expect(stage);
    }
    let mut taken = 0;
    for (_, statement) in fixture.fake.seen() {
        if REDSHIFTS_OWN.iter().any(|own| statement.contains(own)) {
            continue;
        }
        // No password is NULL there, and nobody may drop what is not his own.
        let statement = statement
            .replace("PASSWORD DISABLE", "PASSWORD NULL")
            .replace("DELETE, DROP, ", "DELETE, ");
        admin.batch_execute(&statement).await.expect(&statement);
        taken += 1;
    }
    assert!(taken > 30, "{taken}");
    let held = "SELECT has_table_privilege($1, '\"Work\".\"Shared\"', 'INSERT WITH GRANT OPTION') \
        AND has_column_privilege($1, '\"Work\".\"Shared\"', 'note', 'UPDATE') \
        AND has_table_privilege($1, '\"Work\".own', 'DELETE') AND pg_has_role($1, 'Readers', 'USAGE')";
    let held = admin.query_one(held, &[&clone]).await.expect("an answer");
    assert!(held.get::<_, bool>(0));

    for (password, verdict) in [
        (password.as_str(), Verdict::Accepted),
        (FIRST, Verdict::Rejected),
    ] {
        let secret = json!({
            "engine": "redshift", "host": postgres.host(), "port": postgres.port(),
            "username": clone, "password": password, "ca_certificate": postgres.ca_pem(),
        });
        let secret = SecretDocument::from_text(&secret.to_string());
        let candidate = RedshiftCredential::try_from(&secret).expect("complete");
        let rotator = SingleUser::new(MemoryStore::new(), settings.clone());
        let deadline = Instant::now() + Duration::from_secs(20);
        let cx = Context::new("s".into(), "v".into(), deadline);
        assert_eq!(rotator.test(&candidate, &cx).await, Ok(verdict));
    }
}
