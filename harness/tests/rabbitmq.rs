//! `RabbitMQ` brokers are real, speak TLS and plaintext, and leave nothing behind.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use harness::rabbitmq::RabbitMqServer;
use serde_json::{Value, json};

#[tokio::test]
async fn a_broker_serves_and_is_gone_after_drop() {
    let server = RabbitMqServer::builder().start().await;
    for port in [
        server.amqps_port(),
        server.amqp_port(),
        server.https_port(),
        server.http_port(),
    ] {
        assert!((10_000..32_000).contains(&port));
        assert!(connects(port), "{port}");
    }
    let overview = server.get(&["overview"]).await;
    assert_eq!(overview["rabbitmq_version"], server.version());
    let log = server.log();
    let (_, data) = log.split_once("database dir   : ").expect("it is logged");
    let data = data.lines().next().expect("a line").to_owned();
    let folder = Path::new(&data).ancestors().nth(2).expect("a folder");
    let process = process_of(folder);
    let owner = std::os::unix::fs::MetadataExt::uid(&process.metadata().expect("it runs"));
    assert_ne!(owner, 0, "the broker does not run as root");
    assert!(Path::new(&data).is_dir());

    users_log_in(&server).await;

    let process = process_of(folder);
    drop(server);
    assert!(!process.exists(), "the process has ended");
    assert!(!folder.exists(), "the folder is removed");
}

async fn users_log_in(server: &RabbitMqServer) {
    let user = ["users", "a/b"];
    let password = json!({"password": "p ä", "tags": ""});
    server.put(&user, &password).await;
    let refused = async |password: &str, vhost: &str| {
        let login = server.log_in("a/b", password, vhost).await;
        login.expect_err("a refusal")
    };
    assert_eq!(refused("p", "/").await, 403);
    assert_eq!(refused("p ä", "/").await, 530);
    let everything = json!({"configure": ".*", "read": ".*", "write": ".*"});
    server.put(&["permissions", "/", "a/b"], &everything).await;
    let mut session = server.log_in("a/b", "p ä", "/").await.expect("a login");
    assert!(session.is_served().await);
    server.stop().await;
    assert!(!session.is_served().await);
    server.start_again().await;
    assert!(server.log_in("a/b", "p ä", "/").await.is_ok(), "users stay");
    server.delete(&user).await;
    let gone = server.api("GET", &user, &Value::Null).await;
    assert_eq!(gone.0, 404);
    assert!(server.log().contains("'a/b' - invalid credentials"));
}

#[tokio::test]
async fn two_brokers_run_at_once() {
    let builder = RabbitMqServer::builder();
    let (one, other) = tokio::join!(builder.clone().start(), builder.start());
    assert_ne!(one.amqp_port(), other.amqp_port());
    one.put(&["users", "x"], &json!({"password": "p", "tags": ""}))
        .await;
    assert_eq!(other.api("GET", &["users", "x"], &Value::Null).await.0, 404);
}

/// The one whose home is this folder, below /proc.
fn process_of(folder: &Path) -> PathBuf {
    let home = format!("-home\0{}\0", folder.display());
    let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
    let mut found = processes.map(|entry| entry.path()).filter(|process| {
        let command = std::fs::read(process.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(&home)
    });
    found.next().expect("a process")
}

fn connects(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}
