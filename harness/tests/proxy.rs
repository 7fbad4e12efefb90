//! Faults strike exactly the call asked for, before or after it took effect.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use harness::postgres::PostgresServer;
use harness::proxy::{Fault, Hook, HttpAction, HttpProxy, TcpAction, TcpMode, TcpProxy};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;

/// Long enough for an answer on this machine to come if one is going to.
const MOMENT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn calls_are_forwarded_and_recorded() {
    let upstream = Upstream::start().await;
    let proxy = HttpProxy::start(&upstream.url()).await;
    for n in 1..=2 {
        let answer = post(&proxy, "GetSecretValue").await;
        assert!(answer.is_some_and(|it| it.ends_with(&format!("done {n}"))));
    }
    proxy.reached(2).await;
    assert_eq!(proxy.operations(), ["GetSecretValue", "GetSecretValue"]);
    assert_eq!(proxy.calls()[0].body, json!({"SecretId": "name"}));

    proxy.reset();
    assert_eq!(proxy.calls(), []);
}

#[tokio::test]
async fn a_fault_before_a_call_keeps_it_from_the_upstream() {
    let upstream = Upstream::start().await;
    let proxy = HttpProxy::start(&upstream.url()).await;
    proxy.fault_at(2, Fault::Before(HttpAction::Drop));
    assert!(post(&proxy, "PutSecretValue").await.is_some());
    assert_eq!(post(&proxy, "PutSecretValue").await, None);
    assert_eq!(upstream.calls(), 1);
    assert!(post(&proxy, "PutSecretValue").await.is_some());
    assert_eq!(proxy.calls().len(), 3);
}

#[tokio::test]
async fn a_fault_after_a_call_loses_the_answer_only() {
    let upstream = Upstream::start().await;
    let proxy = HttpProxy::start(&upstream.url()).await;
    proxy.fault_at(1, Fault::After(HttpAction::Drop));
    assert_eq!(post(&proxy, "PutSecretValue").await, None);
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn a_service_error_and_garbage_replace_the_answer() {
    let upstream = Upstream::start().await;
    let proxy = HttpProxy::start(&upstream.url()).await;
    let throttled = HttpAction::Status {
        code: 400,
        aws_code: "ThrottlingException".to_owned(),
    };
    proxy.fault_from(1, Fault::Before(throttled));
    proxy.fault_at(2, Fault::After(HttpAction::Garbage));
    for call in 1..=3 {
        let answer = post(&proxy, "GetSecretValue").await.expect("an answer");
        if call == 2 {
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            assert!(answer.contains("<html>"), "{answer}");
        } else {
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
            assert!(answer.contains(r#""__type":"ThrottlingException""#));
        }
    }
    assert_eq!(upstream.calls(), 1);
    proxy.clear_faults();
    let answer = post(&proxy, "GetSecretValue").await;
    assert!(answer.is_some_and(|it| it.ends_with("done 2")));
}

#[tokio::test]
async fn a_hanging_call_gets_no_answer() {
    let upstream = Upstream::start().await;
    let proxy = HttpProxy::start(&upstream.url()).await;
    proxy.fault_at(1, Fault::Before(HttpAction::Hang));
    let waited = tokio::time::timeout(MOMENT, post(&proxy, "GetSecretValue"));
    assert!(waited.await.is_err());
    proxy.reached(1).await;
    assert_eq!(upstream.calls(), 0);
}

#[tokio::test]
async fn a_hook_runs_at_its_place() {
    let upstream = Upstream::start().await;
    let proxy = HttpProxy::start(&upstream.url()).await;
    let seen = Arc::new(AtomicUsize::new(usize::MAX));
    let hook = || {
        let (seen, calls) = (Arc::clone(&seen), Arc::clone(&upstream.calls));
        Hook::new(move || seen.store(calls.load(Ordering::SeqCst), Ordering::SeqCst))
    };
    let cases = [
        (Fault::Before(HttpAction::Call(hook())), 0, true),
        (Fault::After(HttpAction::Call(hook())), 2, true),
        (Fault::Before(HttpAction::CallAndDrop(hook())), 2, false),
        (Fault::After(HttpAction::CallAndDrop(hook())), 3, false),
    ];
    for (number, (fault, expected, answered)) in cases.into_iter().enumerate() {
        proxy.fault_at(number + 1, fault);
        let answer = post(&proxy, "PutSecretValue").await;
        assert_eq!(answer.is_some(), answered, "case {number}");
        assert_eq!(seen.load(Ordering::SeqCst), expected, "case {number}");
    }
}

#[tokio::test]
async fn tcp_faults_strike_a_real_database_session() {
    let server = PostgresServer::builder().allow_plaintext().start().await;
    let proxy = TcpProxy::start(server.host(), server.port()).await;
    let admin = server.admin().await;
    let statement = |role: &str| format!("CREATE ROLE {role}");

    // Before: the server has not seen it.
    let client = login(&proxy, &server).await.expect("forwarded");
    proxy.fault_at(proxy.chunks() + 1, Fault::Before(TcpAction::Drop));
    assert!(client.batch_execute(&statement("before")).await.is_err());

    // After: the server has done it, and the client does not know.
    let client = login(&proxy, &server).await.expect("forwarded");
    proxy.fault_at(proxy.chunks() + 1, Fault::After(TcpAction::Drop));
    assert!(client.batch_execute(&statement("after")).await.is_err());

    // A hook does not disturb.
    let client = login(&proxy, &server).await.expect("forwarded");
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let hook = Hook::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    proxy.fault_at(proxy.chunks() + 1, Fault::Before(TcpAction::Call(hook)));
    let done = client.batch_execute(&statement("hooked")).await;
    done.expect("a hook only");
    assert_eq!(calls.load(Ordering::SeqCst), 1);

    // Hang: neither an answer nor an end.
    proxy.fault_from(proxy.chunks() + 1, Fault::Before(TcpAction::Hang));
    let hanging = client.batch_execute("SELECT 1");
    assert!(tokio::time::timeout(MOMENT, hanging).await.is_err());
    proxy.clear_faults();

    let roles = admin
        .query(
            "SELECT rolname::text FROM pg_roles WHERE rolname IN ('before', 'after', 'hooked') \
             ORDER BY oid",
            &[],
        )
        .await
        .expect("a catalogue of every server");
    let roles: Vec<String> = roles.iter().map(|row| row.get(0)).collect();
    assert_eq!(roles, ["after", "hooked"]);
}

#[tokio::test]
async fn tcp_modes_apply_to_new_connections() {
    let server = PostgresServer::builder().allow_plaintext().start().await;
    let proxy = TcpProxy::start(server.host(), server.port()).await;
    let client = login(&proxy, &server).await.expect("forwarded");

    proxy.set_mode(TcpMode::Refuse).await;
    let refused = TcpStream::connect((proxy.host(), proxy.port())).await;
    let kind = refused.expect_err("nothing listens").kind();
    assert_eq!(kind, std::io::ErrorKind::ConnectionRefused);

    proxy.set_mode(TcpMode::Silent).await;
    let silent = login(&proxy, &server);
    assert!(tokio::time::timeout(MOMENT, silent).await.is_err());

    let alive = client.simple_query("SELECT 1").await;
    assert!(alive.is_ok(), "it was there before");
    proxy.cut();
    assert!(client.simple_query("SELECT 1").await.is_err());

    proxy.set_mode(TcpMode::Forward).await;
    assert!(login(&proxy, &server).await.is_ok());
}

#[tokio::test]
async fn tcp_chunks_are_counted_over_all_connections() {
    let server = PostgresServer::builder().allow_plaintext().start().await;
    let proxy = TcpProxy::start(server.host(), server.port()).await;
    let one = login(&proxy, &server).await.expect("forwarded");
    let first = proxy.chunks();
    let other = login(&proxy, &server).await.expect("forwarded");
    assert_eq!(proxy.chunks(), 2 * first);
    proxy.reset();
    one.batch_execute("SELECT 1").await.expect("forwarded");
    other.batch_execute("SELECT 1").await.expect("forwarded");
    proxy.reached(2).await;
    assert_eq!(proxy.chunks(), 2);
}

async fn login(
    proxy: &TcpProxy,
    server: &PostgresServer,
) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::Config::new()
        .host(proxy.host())
        .port(proxy.port())
        .user("postgres")
        .password(server.superuser_password())
        .ssl_mode(SslMode::Disable)
        .connect(NoTls)
        .await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A server that answers every request with `done N`.
struct Upstream {
    port: u16,
    calls: Arc<AtomicUsize>,
}

impl Upstream {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("the loopback interface");
        let port = listener.local_addr().expect("an address").port();
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                read_request(&mut stream).await;
                let body = format!("done {}", counter.fetch_add(1, Ordering::SeqCst) + 1);
                let length = body.len();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { port, calls }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

const BODY: &str = r#"{"SecretId":"name"}"#;

async fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(BODY.as_bytes()) {
        let length = stream.read_buf(&mut request).await;
        assert_ne!(length.expect("readable"), 0, "half a request");
    }
}

/// Calls an operation; the whole answer, or nothing if the connection is closed without one.
async fn post(proxy: &HttpProxy, operation: &str) -> Option<String> {
    let endpoint = proxy.endpoint();
    let address = endpoint.strip_prefix("http://").expect("a URL");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         x-amz-target: secretsmanager.{operation}\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("it reads");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    (!answer.is_empty()).then_some(answer)
}
