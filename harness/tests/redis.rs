//! Redis and Valkey servers are real, speak TLS, and leave nothing behind.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use harness::redis::{RedisBuilder, RedisServer};
use harness::tls::TestCa;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Each test for both servers.
macro_rules! both {
    ($($test:ident)*) => {
        mod redis {
            $(#[tokio::test] async fn $test() {
                super::$test(super::RedisServer::builder()).await;
            })*
        }
        mod valkey {
            $(#[tokio::test] async fn $test() {
                super::$test(super::RedisServer::builder().valkey()).await;
            })*
        }
    };
}

both! {
    starts_and_is_gone_after_drop
    refuses_a_wrong_password_and_whoever_has_not_logged_in
    two_servers_run_at_once
    tls_is_required_and_verified
    the_certificate_holds_the_names_asked_for
    a_server_without_tls_takes_plaintext
    settings_are_taken_and_the_log_can_be_read
    users_are_kept_in_the_file_only
    without_a_file_users_cannot_be_saved
    users_can_be_there_from_the_start
}

async fn starts_and_is_gone_after_drop(builder: RedisBuilder) {
    let server = builder.start().await;
    assert!((10_000..32_000).contains(&server.port()));
    let mut admin = Client::admin(&server);
    let info = admin.call(&["INFO", "server"]);
    let number = field(&info, "redis_version:");
    let number = info.split_once("valkey_version:").map_or(number, |_| {
        // Valkey tells clients of Redis that it is Redis 7.2.
        field(&info, "valkey_version:")
    });
    assert!(server.version().contains(&number), "{}", server.version());
    let process = PathBuf::from(format!("/proc/{}", field(&info, "process_id:")));
    let owner = std::os::unix::fs::MetadataExt::uid(&process.metadata().expect("it runs"));
    assert_ne!(owner, 0, "the server does not run as root");
    let folder = admin.call(&["CONFIG", "GET", "dir"]);
    let folder = folder.lines().last().expect("name and value").to_owned();
    assert!(Path::new(&folder).is_dir());

    drop(server);
    assert!(!process.exists(), "the process has ended");
    assert!(!Path::new(&folder).exists(), "the folder is removed");
}

async fn refuses_a_wrong_password_and_whoever_has_not_logged_in(builder: RedisBuilder) {
    let server = builder.start().await;
    let mut client = Client::connect(&server, &server.ca_pem(), "127.0.0.1").expect("TLS");
    assert!(client.call(&["PING"]).starts_with("-NOAUTH"));
    let wrong = client.call(&["AUTH", "default", "wrong"]);
    assert!(wrong.starts_with("-WRONGPASS"), "{wrong}");
    let right = client.call(&["AUTH", "default", server.admin_password()]);
    assert_eq!(right, "+OK");
}

async fn two_servers_run_at_once(builder: RedisBuilder) {
    let (one, other) = tokio::join!(builder.clone().start(), builder.start());
    assert_ne!(one.port(), other.port());
    let mut other_admin = Client::admin(&other);
    assert_eq!(Client::admin(&one).call(&["SET", "key", "1"]), "+OK");
    assert_eq!(other_admin.call(&["EXISTS", "key"]), ":0");
    drop(one);
    assert_eq!(other_admin.call(&["PING"]), "+PONG", "still there");
}

async fn tls_is_required_and_verified(builder: RedisBuilder) {
    let server = builder.start().await;
    let mut plain = Client::plaintext(&server);
    assert!(plain.try_call(&["PING"]).is_err(), "plaintext is not taken");

    let url = server.admin_url();
    assert!(url.starts_with("rediss://default:"), "{url}");
    assert_eq!(Client::admin(&server).call(&["PING"]), "+PONG");

    let wrong = Client::connect(&server, &TestCa::generate().pem(), "127.0.0.1");
    let error = wrong.err().expect("an unknown authority").to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
}

async fn the_certificate_holds_the_names_asked_for(builder: RedisBuilder) {
    let server = builder.server_names(&["cache.example"]).start().await;
    let wrong = Client::connect(&server, &server.ca_pem(), "127.0.0.1");
    let error = wrong.err().expect("another name").to_string();
    assert!(error.contains("not valid for name"), "{error}");
    let good = Client::connect(&server, &server.ca_pem(), "cache.example");
    assert!(good.is_ok(), "{:?}", good.err());
}

async fn a_server_without_tls_takes_plaintext(builder: RedisBuilder) {
    let server = builder.without_tls().start().await;
    let mut plain = Client::plaintext(&server);
    let login = plain.call(&["AUTH", "default", server.admin_password()]);
    assert_eq!(login, "+OK");
    // It would not refuse a TLS client either: it waits for the rest of the command.
    assert!(server.admin_url().starts_with("redis://default:"));
    assert_eq!(plain.call(&["CONFIG", "GET", "tls-port"]), "tls-port\n0");
}

async fn settings_are_taken_and_the_log_can_be_read(builder: RedisBuilder) {
    let server = builder.setting("requirepass", r#"a "b\"#).start().await;
    let mut client = Client::connect(&server, &server.ca_pem(), "127.0.0.1").expect("TLS");
    assert_eq!(client.call(&["AUTH", "default", r#"a "b\"#]), "+OK");
    let log = server.log();
    assert!(log.contains("Ready to accept connections"), "{log}");
}

async fn users_are_kept_in_the_file_only(builder: RedisBuilder) {
    let server = builder.acl_file().start().await;
    let port = server.port();
    let mut admin = Client::admin(&server);
    let set = |name: &'static str| ["ACL", "SETUSER", name, "on", ">secret", "+ping"];
    assert_eq!(admin.call(&set("saved")), "+OK");
    assert!(!server.acl_file().contains("saved"), "not saved yet");
    assert_eq!(admin.call(&["ACL", "SAVE"]), "+OK");
    assert!(server.acl_file().contains("saved"));
    assert_eq!(admin.call(&set("unsaved")), "+OK");

    server.stop().await;
    assert!(admin.try_call(&["PING"]).is_err(), "sessions are cut");
    assert!(TcpStream::connect((server.host(), port)).is_err());

    server.start_again().await;
    assert_eq!(server.port(), port);
    let users = Client::admin(&server).call(&["ACL", "USERS"]);
    let users: Vec<&str> = users.lines().collect();
    assert_eq!(users, ["default", "saved"]);
    let starts = server.log().matches("Ready to accept connections").count();
    assert_eq!(starts, 2);
}

async fn users_can_be_there_from_the_start(builder: RedisBuilder) {
    let server = builder.user("app on >x +ping").start().await;
    let mut client = Client::connect(&server, &server.ca_pem(), "127.0.0.1").expect("TLS");
    assert_eq!(client.call(&["AUTH", "app", "x"]), "+OK");
    assert_eq!(client.call(&["PING"]), "+PONG");
    assert!(client.call(&["GET", "x"]).starts_with("-NOPERM"));
}

async fn without_a_file_users_cannot_be_saved(builder: RedisBuilder) {
    let server = builder.start().await;
    let refused = Client::admin(&server).call(&["ACL", "SAVE"]);
    assert!(refused.starts_with("-ERR"), "{refused}");
}

#[test]
fn a_missing_server_names_the_command_that_gets_it() {
    // Of their own processes, since the environment is that of all tests.
    for (variable, test) in [
        ("REDIS_SERVER", "redis::two"),
        ("VALKEY_SERVER", "valkey::two"),
    ] {
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

fn field(info: &str, name: &str) -> String {
    let line = info.lines().find_map(|line| line.strip_prefix(name));
    line.expect("a line of every server").trim().to_owned()
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// As much of a client as these tests need.
struct Client(BufReader<Box<dyn Stream>>);

impl Client {
    fn admin(server: &RedisServer) -> Self {
        let client = Self::connect(server, &server.ca_pem(), "127.0.0.1");
        let mut client = client.unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
        let login = client.call(&["AUTH", "default", server.admin_password()]);
        assert_eq!(login, "+OK");
        client
    }

    fn plaintext(server: &RedisServer) -> Self {
        Self(BufReader::new(Box::new(socket(server))))
    }

    /// Ends when the handshake has.
    fn connect(server: &RedisServer, ca_pem: &str, name: &str) -> std::io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("PEM");
        roots.add(certificate).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let tls = ClientConnection::new(Arc::new(config), name).expect("a configuration");
        let mut stream = StreamOwned::new(tls, socket(server));
        stream.conn.complete_io(&mut stream.sock)?;
        Ok(Self(BufReader::new(Box::new(stream))))
    }

    fn call(&mut self, words: &[&str]) -> String {
        self.try_call(words).expect("an answer")
    }

    /// The answer: its first line with the mark of its kind, or of strings and lists the elements
    /// alone, one a line.
    fn try_call(&mut self, words: &[&str]) -> std::io::Result<String> {
        let stream = self.0.get_mut();
        write!(stream, "*{}\r\n", words.len())?;
        for word in words {
            write!(stream, "${}\r\n{word}\r\n", word.len())?;
        }
        stream.flush()?;
        self.answer()
    }

    fn answer(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        let (kind, rest) = line.split_at_checked(1).unwrap_or_default();
        let length = || rest.parse::<usize>().expect("a length");
        match kind {
            "$" => {
                let mut text = vec![0; length() + 2];
                self.0.read_exact(&mut text)?;
                text.truncate(text.len() - 2);
                Ok(String::from_utf8(text).expect("UTF-8"))
            }
            "*" => {
                let elements: std::io::Result<Vec<_>> =
                    (0..length()).map(|_| self.answer()).collect();
                Ok(elements?.join("\n"))
            }
            _ => Ok(line.to_owned()),
        }
    }
}

fn socket(server: &RedisServer) -> TcpStream {
    let socket = TcpStream::connect((server.host(), server.port())).expect("it listens");
    // A server that says nothing is a failed test, not a hanging one.
    let patience = Some(Duration::from_secs(10));
    socket.set_read_timeout(patience).expect("a valid duration");
    socket
}
