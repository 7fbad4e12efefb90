//! `OpenLDAP` servers are real, speak TLS, and leave nothing behind.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use harness::ldap::{LdapServer, ROOT, ROOT_PASSWORD, SUFFIX};
use harness::tls::TestCa;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

const APP: &str = "uid=app,ou=services,dc=example,dc=com";

#[tokio::test]
async fn starts_and_is_gone_after_drop() {
    let server = LdapServer::builder().start().await;
    assert!((10_000..32_000).contains(&server.port()));
    assert!(server.version().contains("slapd"), "{}", server.version());
    let process = PathBuf::from(format!("/proc/{}", listener_of(server.plain_port())));
    let owner = std::os::unix::fs::MetadataExt::uid(&process.metadata().expect("it runs"));
    assert_ne!(owner, 0, "the server does not run as root");
    let port = server.port();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    drop(server);
    assert!(!process.exists(), "the process has ended");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[tokio::test]
async fn lets_entries_in_by_their_passwords() {
    let server = LdapServer::builder().user("app", "secret").start().await;
    let mut client = tls(&server, &server.ca_pem(), "ldaps").await.expect("TLS");
    assert_eq!(bind(&mut client, APP, "wrong").await, 49);
    assert_eq!(
        bind(&mut client, "uid=none,dc=example,dc=com", "x").await,
        49
    );
    assert_eq!(bind(&mut client, APP, "secret").await, 0);
    assert_eq!(bind(&mut client, ROOT, ROOT_PASSWORD).await, 0);
    assert!(server.log().contains(APP), "{}", server.log());
    assert!(server.files().contains("secret"), "as it was given");
}

#[tokio::test]
async fn the_certificate_is_verified_with_ldaps_and_with_start_tls() {
    let server = LdapServer::builder().start().await;
    for scheme in ["ldaps", "ldap"] {
        assert!(tls(&server, &server.ca_pem(), scheme).await.is_ok());
        let wrong = tls(&server, &TestCa::generate().pem(), scheme).await;
        let error = wrong.expect_err("an unknown authority").to_string();
        assert!(error.contains("UnknownIssuer"), "{error}");
    }
    let other = LdapServer::builder()
        .server_names(&["ldap.example"])
        .start()
        .await;
    let error = tls(&other, &other.ca_pem(), "ldaps").await.err();
    let error = error.expect("another name").to_string();
    assert!(error.contains("not valid for name"), "{error}");
}

#[tokio::test]
async fn rules_policies_and_modules_are_those_asked_for() {
    let server = LdapServer::builder()
        .access("to attrs=userPassword by anonymous auth")
        .access("to * by users read")
        .module("pw-sha2")
        .policies("olcPPolicyUseLockout: TRUE")
        .policy("pwdLockout: TRUE")
        .policy("pwdMaxFailure: 1")
        .user("app", "secret")
        .user("other", "{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRpayrW/isg==")
        .entry("dn: cn=more,dc=example,dc=com\nobjectClass: device\ncn: more")
        .start()
        .await;
    let mut client = tls(&server, &server.ca_pem(), "ldaps").await.expect("TLS");
    assert_eq!(bind(&mut client, APP, "secret").await, 0);
    let found = client
        .search(SUFFIX, Scope::Subtree, "(objectClass=*)", ["*"])
        .await;
    let (found, _) = found.expect("an answer").success().expect("it may read");
    let entries: Vec<_> = found.into_iter().map(SearchEntry::construct).collect();
    assert!(
        entries
            .iter()
            .any(|entry| entry.dn == "cn=more,dc=example,dc=com")
    );
    assert!(
        entries
            .iter()
            .all(|entry| !entry.attrs.contains_key("userPassword"))
    );
    assert_eq!(bind(&mut client, APP, "wrong").await, 49);
    assert_eq!(bind(&mut client, APP, "secret").await, 49, "locked");
    let other = APP.replace("app", "other");
    assert_eq!(
        bind(&mut client, &other, "secret").await,
        0,
        "the module knows it"
    );
}

#[tokio::test]
async fn what_is_stored_survives_a_restart() {
    let server = LdapServer::builder().user("app", "secret").start().await;
    server.stop().await;
    assert!(TcpStream::connect((server.host(), server.port())).is_err());
    server.start_again().await;
    let mut client = tls(&server, &server.ca_pem(), "ldaps").await.expect("TLS");
    assert_eq!(bind(&mut client, APP, "secret").await, 0);
    assert_eq!(server.log().matches("slapd starting").count(), 2);
}

#[test]
fn a_missing_server_names_the_command_that_gets_it() {
    // Of a process of its own, since the environment is that of all tests.
    let run = std::process::Command::new(std::env::current_exe().expect("a test program"))
        .args(["starts_and_is_gone_after_drop", "--nocapture"])
        .env("SLAPD", "/nowhere/slapd")
        .output()
        .expect("a test program can be run");
    assert!(!run.status.success(), "a missing server is a failed test");
    let message = String::from_utf8_lossy(&run.stderr);
    assert!(
        message.contains("./test --setup") && message.contains("SLAPD"),
        "{message}"
    );
}

async fn tls(server: &LdapServer, ca_pem: &str, scheme: &str) -> Result<Ldap, LdapError> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("PEM");
    roots.add(certificate).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (port, start_tls) = match scheme {
        "ldaps" => (server.port(), false),
        _ => (server.plain_port(), true),
    };
    let settings = LdapConnSettings::new()
        .set_config(Arc::new(config))
        .set_starttls(start_tls);
    let url = format!("{scheme}://{}:{port}", server.host());
    let (connection, ldap) = LdapConnAsync::with_settings(settings, &url).await?;
    tokio::spawn(connection.drive());
    Ok(ldap)
}

async fn bind(client: &mut Ldap, name: &str, password: &str) -> u32 {
    client
        .simple_bind(name, password)
        .await
        .expect("an answer")
        .rc
}

/// The process that listens on this port of 127.0.0.1.
fn listener_of(port: u16) -> u32 {
    let sockets = std::fs::read_to_string("/proc/net/tcp").expect("Linux has it");
    let local = format!("0100007F:{port:04X}");
    let mut lines = sockets.lines().map(str::split_whitespace);
    let inode = lines.find_map(|mut line| {
        (line.nth(1)? == local && line.next()? == "00000000:0000").then(|| line.nth(6))?
    });
    let link = format!("socket:[{}]", inode.expect("somebody listens"));
    let processes = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    let mut numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let listens = numbers.find(|process| {
        let open = std::fs::read_dir(format!("/proc/{process}/fd"));
        let mut open = open.into_iter().flatten().flatten();
        open.any(|file| {
            std::fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == link.as_str())
        })
    });
    listens.expect("a process")
}
