//! `MySQL` and `MariaDB` servers are real, speak TLS, and leave nothing behind.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use harness::mariadb::MariaDb;
use harness::mysql::{Builder, Edition, MySql, Server};
use harness::tls::TestCa;
use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, Error, OptsBuilder, SslOpts};

/// Each test for both kinds.
macro_rules! both {
    ($($test:ident)*) => {
        mod mysql {
            $(#[tokio::test] async fn $test() { super::$test::<super::MySql>().await; })*
        }
        mod mariadb {
            $(#[tokio::test] async fn $test() { super::$test::<super::MariaDb>().await; })*
        }
    };
}

both! {
    starts_and_is_gone_after_drop
    refuses_a_wrong_password
    two_servers_run_at_once
    tls_is_required_and_verified
    the_certificate_holds_the_names_asked_for
    plaintext_is_let_in_where_it_is_allowed
    settings_are_taken_and_the_log_can_be_read
    a_stopped_server_comes_back_on_its_port_with_its_data
    nobody_but_root_can_log_in
}

async fn starts_and_is_gone_after_drop<E: Edition>() {
    let server = Server::<E>::builder().start().await;
    assert!((10_000..32_000).contains(&server.port()));
    let mut root = root(&server).await;
    let version: String = one(&mut root, "SELECT version()").await;
    let number = version.split('-').next().expect("a version");
    assert!(server.version().contains(number), "{}", server.version());
    let data: String = one(&mut root, "SELECT @@datadir").await;
    let process = process(&mut root).await;
    assert!(process.exists());
    let owner = std::os::unix::fs::MetadataExt::uid(&process.metadata().expect("it runs"));
    assert_ne!(owner, 0, "the server does not run as root");

    drop(server);
    assert!(!process.exists(), "the process has ended");
    assert!(!Path::new(&data).exists(), "the folder is removed");
}

async fn refuses_a_wrong_password<E: Edition>() {
    let server = Server::<E>::builder().start().await;
    let wrong = login(&server).pass(Some("wrong"));
    assert_refused(Conn::new(wrong).await, 1045);
    // For an unknown user MySQL picks one of its ways to log in at random, so that nobody learns
    // who exists; not all of them are known to this client.
    let unknown = login(&server).user(Some("nobody"));
    assert!(Conn::new(unknown).await.is_err());
    assert!(Conn::new(login(&server)).await.is_ok());
}

async fn two_servers_run_at_once<E: Edition>() {
    let builder = Server::<E>::builder();
    let (one_server, other) = tokio::join!(builder.clone().start(), builder.start());
    assert_ne!(one_server.port(), other.port());
    let mut one_root = root(&one_server).await;
    let mut other_root = root(&other).await;
    run(&mut one_root, "CREATE USER only_here").await;
    let count = "SELECT count(*) FROM mysql.user WHERE user = 'only_here'";
    assert_eq!(one::<u64>(&mut one_root, count).await, 1);
    assert_eq!(one::<u64>(&mut other_root, count).await, 0);

    drop(one_server);
    assert_eq!(one::<u64>(&mut other_root, count).await, 0, "still there");
}

async fn tls_is_required_and_verified<E: Edition>() {
    let server = Server::<E>::builder().start().await;
    let plain = login(&server).ssl_opts(None::<SslOpts>);
    // MySQL says so (ER_SECURE_TRANSPORT_REQUIRED), MariaDB does as if the password were wrong.
    let is_mariadb = server.version().contains("MariaDB");
    let code = if is_mariadb { 1045 } else { 3159 };
    assert_refused(Conn::new(plain).await, code);

    let mut root = root(&server).await;
    let status = "SHOW SESSION STATUS LIKE 'Ssl_version'";
    let (_, version): (String, String) = one(&mut root, status).await;
    assert!(version.starts_with("TLSv1."), "{version:?}");

    let wrong = login(&server).ssl_opts(Some(trusting(&TestCa::generate().pem())));
    let error = Conn::new(wrong).await.err();
    let error = format!("{:?}", error.expect("an unknown authority"));
    assert!(error.contains("UnknownIssuer"), "{error}");
}

async fn the_certificate_holds_the_names_asked_for<E: Edition>() {
    let builder = Server::<E>::builder().server_names(&["db.example"]);
    let server = builder.start().await;
    let error = Conn::new(login(&server)).await.err();
    let error = format!("{:?}", error.expect("127.0.0.1 is not in the certificate"));
    assert!(error.contains("NotValidForName"), "{error}");

    let name = Some("db.example");
    let named = trusting(&server.ca_pem()).with_danger_tls_hostname_override(name);
    let good = Conn::new(login(&server).ssl_opts(Some(named))).await;
    assert!(good.is_ok(), "{:?}", good.err());
}

async fn plaintext_is_let_in_where_it_is_allowed<E: Edition>() {
    let without_tls: Builder<E> = Server::builder().without_tls();
    for builder in [Server::builder().allow_plaintext(), without_tls.clone()] {
        let server = builder.start().await;
        let plain = login(&server).ssl_opts(None::<SslOpts>);
        let plain = Conn::new(plain).await;
        assert!(plain.is_ok(), "{:?}", plain.err());
    }
    let server = without_tls.start().await;
    let refused = Conn::new(login(&server)).await;
    assert!(refused.is_err(), "the server cannot speak TLS");
}

async fn settings_are_taken_and_the_log_can_be_read<E: Edition>() {
    let builder = Server::<E>::builder()
        .setting("general_log", "ON")
        .setting("max_connections", "17")
        .setting("init_connect", r"SET @words = 'a\b # c'");
    let server = builder.start().await;
    let mut root = root(&server).await;
    assert_eq!(one::<u64>(&mut root, "SELECT @@max_connections").await, 17);
    let init: String = one(&mut root, "SELECT @@init_connect").await;
    assert_eq!(init, r"SET @words = 'a\b # c'");
    run(&mut root, "CREATE USER seen_in_the_log").await;
    let log = server.log();
    assert!(log.contains("ready for connections"), "{log}");
    assert!(log.contains("CREATE USER seen_in_the_log"), "{log}");
}

async fn a_stopped_server_comes_back_on_its_port_with_its_data<E: Edition>() {
    let server = Server::<E>::builder().start().await;
    let port = server.port();
    let mut before = root(&server).await;
    run(&mut before, "CREATE USER survivor").await;

    server.stop().await;
    assert!(Conn::new(login(&server)).await.is_err());
    assert!(before.ping().await.is_err());

    server.start_again().await;
    assert_eq!(server.port(), port);
    let count = "SELECT count(*) FROM mysql.user WHERE user = 'survivor'";
    assert_eq!(one::<u64>(&mut root(&server).await, count).await, 1);

    server.restart_with(&[("max_connections", "19")]).await;
    let mut after = root(&server).await;
    assert_eq!(one::<u64>(&mut after, "SELECT @@max_connections").await, 19);
    assert_eq!(server.log().matches("ready for connections").count(), 3);
}

async fn nobody_but_root_can_log_in<E: Edition>() {
    let server = Server::<E>::builder().start().await;
    // System accounts of both kinds are locked, or have no password that could be right.
    let mut root = root(&server).await;
    let names: Vec<String> = root
        .query("SELECT concat(user, '@', host) FROM mysql.user ORDER BY 1")
        .await
        .expect("a table of every server");
    for name in names.iter().filter(|&name| name != "root@localhost") {
        let (user, host) = name.split_once('@').expect("a host");
        assert_eq!(host, "localhost", "{name}");
        assert!(
            user.starts_with("mysql.") || user == "mariadb.sys",
            "{name}"
        );
        let system = login(&server).user(Some(user)).pass(None::<String>);
        assert!(Conn::new(system).await.is_err(), "{name}");
    }
}

#[test]
fn a_missing_server_names_the_command_that_gets_it() {
    // Of their own processes, since the environment is that of all tests.
    for (variable, test) in [("MYSQLD", "mysql::two"), ("MARIADBD", "mariadb::two")] {
        let run = std::process::Command::new(std::env::current_exe().expect("a test program"))
            .args([test, "--nocapture"])
            .env(variable, "/nowhere/server")
            .output()
            .expect("a test program can be run");
        assert!(!run.status.success(), "a missing server is a failed test");
        let message = String::from_utf8_lossy(&run.stderr);
        assert!(message.contains("./test --setup"), "{message}");
        assert!(message.contains(variable), "{message}");
    }
}

/// Root over TCP, TLS required.
fn login<E: Edition>(server: &Server<E>) -> OptsBuilder {
    let url = mysql_async::Opts::from_url(&server.root_url()).expect("a URL");
    OptsBuilder::from_opts(url)
        .prefer_socket(false)
        .ssl_opts(Some(trusting(&server.ca_pem())))
}

fn trusting(ca_pem: &str) -> SslOpts {
    SslOpts::default()
        .with_disable_built_in_roots(true)
        .with_root_certs(vec![ca_pem.as_bytes().to_vec().into()])
}

async fn root<E: Edition>(server: &Server<E>) -> Conn {
    let root = Conn::new(login(server)).await;
    root.unwrap_or_else(|error| panic!("no root login: {error:?}\n{}", server.log()))
}

fn assert_refused(result: Result<Conn, Error>, code: u16) {
    match result {
        Err(Error::Server(error)) => assert_eq!(error.code, code, "{error:?}"),
        Err(error) => panic!("not refused by the server: {error:?}"),
        Ok(_) => panic!("must be refused"),
    }
}

async fn run(root: &mut Conn, statement: &str) {
    root.query_drop(statement).await.expect("a valid statement");
}

async fn one<T: FromRow + Send + 'static>(root: &mut Conn, query: &str) -> T {
    let row = root.query_first(query).await.expect("a valid query");
    row.expect("a row")
}

/// The server's folder below `/proc`.
async fn process(root: &mut Conn) -> PathBuf {
    let file: String = one(root, "SELECT @@pid_file").await;
    let id = std::fs::read_to_string(file).expect("the server runs");
    Path::new("/proc").join(id.trim())
}
