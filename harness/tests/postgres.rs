//! The servers are real, speak TLS, and leave nothing behind.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::postgres::{PostgresInstall, PostgresServer};
use harness::tls::TestCa;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

#[tokio::test]
async fn postgresql_15_starts_and_is_gone_after_drop() {
    starts_and_is_gone_after_drop(15).await;
}

#[tokio::test]
async fn postgresql_18_starts_and_is_gone_after_drop() {
    starts_and_is_gone_after_drop(18).await;
}

async fn starts_and_is_gone_after_drop(major: u32) {
    let server = PostgresServer::builder().major(major).start().await;
    assert_eq!(server.major(), major);
    assert!((10_000..32_000).contains(&server.port()));
    let admin = server.admin().await;
    let version = show(&admin, "server_version_num").await;
    assert!(version.starts_with(&major.to_string()), "{version}");
    let folder = show(&admin, "data_directory").await;
    let pid_file = Path::new(&folder).join("postmaster.pid");
    let pid = std::fs::read_to_string(pid_file).expect("the server runs");
    let process = Path::new("/proc").join(pid.lines().next().expect("a process number"));
    assert!(process.exists());

    drop(server);
    assert!(!process.exists(), "the process has ended");
    assert!(!Path::new(&folder).exists(), "the folder is removed");
}

#[tokio::test]
async fn tls_is_required_and_verified() {
    let server = PostgresServer::builder().start().await;

    let plain = login(&server)
        .ssl_mode(SslMode::Disable)
        .connect(NoTls)
        .await;
    assert_refused(plain.err(), "28000");

    let (client, connection) = login(&server)
        .connect(trusting(&server.ca_pem()))
        .await
        .expect("the right authority");
    tokio::spawn(connection);
    let row = client
        .query_one(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
            &[],
        )
        .await
        .expect("a view of every server");
    assert!(row.get::<_, bool>(0));

    let wrong = trusting(&TestCa::generate().pem());
    let error = login(&server).connect(wrong).await.err();
    let error = format!("{:?}", error.expect("an unknown authority"));
    assert!(error.contains("UnknownIssuer"), "{error}");
}

#[tokio::test]
async fn the_certificate_holds_the_names_asked_for() {
    let builder = PostgresServer::builder().server_names(&["db.example"]);
    let server = builder.start().await;

    let mut other_name = login(&server);
    let error = other_name.connect(trusting(&server.ca_pem())).await.err();
    let error = format!("{:?}", error.expect("localhost is not in the certificate"));
    assert!(error.contains("NotValidForName"), "{error}");

    other_name = tokio_postgres::Config::new();
    other_name
        .host("db.example")
        .hostaddr(std::net::Ipv4Addr::LOCALHOST.into())
        .port(server.port())
        .user("postgres")
        .password(server.superuser_password())
        .ssl_mode(SslMode::Require);
    let good = other_name.connect(trusting(&server.ca_pem())).await;
    assert!(good.is_ok());
}

#[tokio::test]
async fn plaintext_is_let_in_where_it_is_allowed() {
    for builder in [
        PostgresServer::builder().allow_plaintext(),
        PostgresServer::builder().without_tls(),
    ] {
        let server = builder.start().await;
        let plain = login(&server)
            .ssl_mode(SslMode::Disable)
            .connect(NoTls)
            .await;
        assert!(plain.is_ok(), "{:?}", plain.err());
    }
    let server = PostgresServer::builder().without_tls().start().await;
    let refused = login(&server).connect(trusting(&server.ca_pem())).await;
    assert!(refused.is_err(), "the server cannot speak TLS");
}

#[tokio::test]
async fn settings_and_hba_lines_are_taken_and_the_log_can_be_read() {
    let server = PostgresServer::builder()
        .setting("log_statement", "all")
        .setting("application_name", "it's")
        .hba("host all locked_out 127.0.0.1/32 reject")
        .start()
        .await;
    let admin = server.admin().await;
    admin
        .batch_execute("CREATE ROLE locked_out LOGIN")
        .await
        .expect("a superuser");
    assert!(server.log().contains("CREATE ROLE locked_out LOGIN"));
    assert_eq!(show(&admin, "application_name").await, "it's");

    let mut config = login(&server);
    config.user("locked_out");
    let refused = config.connect(trusting(&server.ca_pem())).await;
    assert_refused(refused.err(), "28000");
}

#[tokio::test]
async fn a_stopped_server_comes_back_on_its_port_with_its_data() {
    let server = PostgresServer::builder().start().await;
    let port = server.port();
    let admin = server.admin().await;
    let created = admin.batch_execute("CREATE ROLE survivor").await;
    created.expect("a superuser");

    server.stop().await;
    let tls = || trusting(&server.ca_pem());
    assert!(login(&server).connect(tls()).await.is_err());
    assert!(admin.simple_query("SELECT 1").await.is_err());

    server.start_again().await;
    assert_eq!(server.port(), port);
    assert!(login(&server).connect(tls()).await.is_ok());
    let admin = server.admin().await;
    let roles = admin
        .query("SELECT 1 FROM pg_roles WHERE rolname = 'survivor'", &[])
        .await
        .expect("a catalogue of every server");
    assert_eq!(roles.len(), 1);

    server.restart_with(&[("max_connections", "7")]).await;
    assert_eq!(show(&server.admin().await, "max_connections").await, "7");
    assert_eq!(
        server.log().matches("ready to accept connections").count(),
        3
    );
}

/// No test by itself, but what the next one runs in a process of its own, and kills: so it does nothing
/// unless that one asks for it.
#[tokio::test]
async fn helper_that_holds_a_server() {
    let Ok(out) = std::env::var("HARNESS_TEST_OUT") else {
        return;
    };
    let server = PostgresServer::builder().start().await;
    let folder = show(&server.admin().await, "data_directory").await;
    std::fs::write(format!("{out}.new"), folder).expect("a temporary file");
    std::fs::rename(format!("{out}.new"), out).expect("a temporary file");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_server_dies_with_a_killed_test_and_the_next_server_cleans_up() {
    let out = tempfile::tempdir().expect("a temporary folder");
    let out = out.path().join("folder");
    let mut test = std::process::Command::new(std::env::current_exe().expect("a test program"))
        .args(["--exact", "helper_that_holds_a_server"])
        .env("HARNESS_TEST_OUT", &out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a test program can be run");
    wait_until("the helper holds a server", || out.exists()).await;
    let folder = std::fs::read_to_string(&out).expect("was written");
    let pid_file = Path::new(&folder).join("postmaster.pid");
    let pid = std::fs::read_to_string(&pid_file).expect("the server runs");
    let process = Path::new("/proc").join(pid.lines().next().expect("a process number"));
    assert!(process.exists());

    test.kill().expect("it runs");
    test.wait().expect("it was killed");
    wait_until("the server has ended", || !process.exists()).await;

    let _next = PostgresServer::builder().start().await;
    assert!(!Path::new(&folder).exists(), "{folder} is left behind");
}

#[test]
fn a_version_that_is_missing_names_the_command_that_installs_it() {
    let panic = std::panic::catch_unwind(|| PostgresInstall::find(9)).expect_err("no version 9");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("./test --setup"), "{message}");
    assert!(
        message.contains("apt-get install postgresql-9"),
        "{message}"
    );
}

/// The superuser over TCP, TLS required.
fn login(server: &PostgresServer) -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    config
        .host("localhost")
        .hostaddr(server.host().parse().expect("an IP address"))
        .port(server.port())
        .user("postgres")
        .password(server.superuser_password())
        .ssl_mode(SslMode::Require);
    config
}

fn trusting(ca_pem: &str) -> MakeRustlsConnect {
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("PEM");
    roots.add(certificate).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

fn assert_refused(error: Option<tokio_postgres::Error>, code: &str) {
    let error = error.expect("must be refused");
    assert_eq!(error.code().map(SqlState::code), Some(code), "{error:?}");
}

async fn show(client: &tokio_postgres::Client, setting: &str) -> String {
    let row = client.query_one(&format!("SHOW {setting}"), &[]).await;
    row.expect("a setting of every server").get(0)
}

async fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        // Another process does it, which sends no event here.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_standby_follows_its_primary_and_takes_no_changes() {
    let primary = PostgresServer::builder().major(18).start().await;
    let standby = primary.standby(&["127.0.0.1"]).await;
    let admin = primary.admin().await;
    let applied = "ALTER SYSTEM SET synchronous_standby_names = '*'; \
                   ALTER SYSTEM SET synchronous_commit = 'remote_apply'; SELECT pg_reload_conf()";
    for statement in applied.split("; ") {
        admin.batch_execute(statement).await.expect(statement);
    }
    let admin = primary.admin().await;
    admin
        .batch_execute("CREATE TABLE t (id int)")
        .await
        .expect("a table");
    let reader = standby.admin().await;
    reader
        .batch_execute("SELECT * FROM t")
        .await
        .expect("the primary's table");
    let refused = reader.batch_execute("INSERT INTO t VALUES (1)").await;
    let code = refused.expect_err("read only").code().cloned();
    assert_eq!(code.expect("a code").code(), "25006");
    assert_ne!(primary.port(), standby.port());
}
