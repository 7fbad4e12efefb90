//! The reader of AWS's Lambda extension and of the Secrets Manager agent, against a protocol fake: a server on
//! loopback that answers as their documentation and the agent's source say. Neither was run.
#![cfg(feature = "extension")]
#![allow(
    clippy::expect_used,
    reason = "a test that panics is a test that fails"
)]

use std::sync::{Arc, Mutex};

use secrecy::ExposeSecret;
use secrets_core::client::SecretsClient;
use secrets_core::client::extension::ExtensionReader;
use secrets_core::document::Exposed;
use secrets_core::store::{Label, SecretReader, StoreErrorKind, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-AbCdEf";

/// Answers every connection with the same bytes; gives its port, and what it was asked.
async fn fake(answer: impl Into<Vec<u8>>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (answer, asked) = (answer.into(), Arc::<Mutex<Vec<String>>>::default());
    let requests = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                if stream.read_buf(&mut request).await.expect("a request") == 0 {
                    break;
                }
            }
            let request = String::from_utf8(request).expect("ASCII");
            requests.lock().expect("no panic").push(request);
            stream
                .write_all(&answer)
                .await
                .expect("a client that waits");
        }
    });
    (port, asked)
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn value(field: &str) -> String {
    format!(
        r#"{{"ARN":"{ARN}","Name":"app/db","VersionId":"v1",{field},"VersionStages":["AWSCURRENT"],"CreatedDate":"1569534789.046"}}"#
    )
}

#[tokio::test]
async fn text_is_read_with_version_labels_date_and_arn() {
    let text = r#""SecretString":"{\"password\":\"s3cret\"}""#;
    let (port, asked) = fake(ok(&value(text))).await;
    let reader = ExtensionReader::extension(port, "token".into());
    let read = reader.get(&"app/db".into(), &Version::CURRENT).await;
    let read = read.expect("a secret");
    assert_eq!(
        read.document
            .text("password")
            .expect("a password")
            .expose_secret(),
        "s3cret"
    );
    assert_eq!((read.id, read.arn), ("v1".into(), Some(ARN.into())));
    assert_eq!(read.labels, [Label::Current].into());
    assert!(read.created.is_some());
    let asked = asked.lock().expect("no panic").clone();
    assert_eq!(
        asked,
        [
            "GET /secretsmanager/get?secretId=app%2Fdb HTTP/1.1\r\nhost: localhost\r\n\
          connection: close\r\nx-aws-parameters-secrets-token: token\r\n\r\n"
        ]
    );
}

#[tokio::test]
async fn bytes_are_read() {
    let (port, _) = fake(ok(&value(r#""SecretBinary":"AJ+S""#))).await;
    let reader = ExtensionReader::extension(port, "token".into());
    let read = reader.get(&"app/db".into(), &Version::CURRENT).await;
    let Exposed::Binary(bytes) = read.expect("a secret").document.expose() else {
        unreachable!("bytes were sent");
    };
    assert_eq!(bytes.expose_secret(), [0, 159, 146]);
}

#[tokio::test]
async fn the_largest_secret_in_chunks_is_read() {
    let secret = "x".repeat(65_536);
    let body = value(&format!(r#""SecretString":"{secret}""#));
    let (one, two) = body.split_at(1000);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    let (port, _) = fake(chunked).await;
    let reader = ExtensionReader::agent(port, "token".into());
    let read = reader.get(&"app/db".into(), &Version::CURRENT).await;
    let read = read.expect("a secret");
    let text = read.document.plain_text().expect("text");
    assert_eq!(text.expose_secret(), secret);
}

#[tokio::test]
async fn versions_and_labels_are_asked_for_and_only_the_agent_is_told_to_read_anew() {
    let (port, asked) = fake(ok(&value(r#""SecretString":"x""#))).await;
    let extension = ExtensionReader::extension(port, "token".into());
    let agent = ExtensionReader::agent(port, "token".into());
    let id = ARN.into();
    let by_label = Version::Labelled(Label::Pending);
    let by_both = Version::Exactly("v1".into(), Label::Current);
    for version in [&by_label, &Version::Id("v1".into()), &by_both] {
        agent.get(&id, version).await.expect("a secret");
    }
    for reader in [&extension, &agent] {
        let read = reader.get_past_caches(&id, &Version::CURRENT).await;
        read.expect("a secret");
    }
    let queries: Vec<String> = asked
        .lock()
        .expect("no panic")
        .iter()
        .filter_map(|asked| asked.split(['?', ' ']).nth(2).map(str::to_owned))
        .collect();
    let arn =
        "secretId=arn%3Aaws%3Asecretsmanager%3Aus-east-1%3A123456789012%3Asecret%3Aapp%2Fdb-AbCdEf";
    assert_eq!(
        queries,
        [
            format!("{arn}&versionStage=AWSPENDING"),
            format!("{arn}&versionId=v1"),
            format!("{arn}&versionId=v1&versionStage=AWSCURRENT"),
            arn.to_owned(),
            format!("{arn}&refreshNow=true"),
        ]
    );
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let fault = |code: &str| format!(r#"{{"__type":"{code}","message":"sentinel"}}"#);
    for (status, body, kind, code) in [
        (
            400,
            fault("ResourceNotFoundException"),
            StoreErrorKind::NotFound,
            "ResourceNotFoundException",
        ),
        (
            400,
            fault("AccessDeniedException"),
            StoreErrorKind::Denied,
            "AccessDeniedException",
        ),
        (
            400,
            fault("ThrottlingException"),
            StoreErrorKind::Throttled,
            "ThrottlingException",
        ),
        (
            400,
            fault("InvalidRequestException"),
            StoreErrorKind::Invalid,
            "InvalidRequestException",
        ),
        (
            400,
            fault("DecryptionFailure"),
            StoreErrorKind::Key,
            "DecryptionFailure",
        ),
        (
            500,
            fault("InternalFailure"),
            StoreErrorKind::Unavailable,
            "InternalFailure",
        ),
        (
            504,
            fault("TimeoutError"),
            StoreErrorKind::Unavailable,
            "TimeoutError",
        ),
        (403, "Bad Token".into(), StoreErrorKind::Denied, "HTTP403"),
        (
            401,
            "unauthorized".into(),
            StoreErrorKind::Denied,
            "HTTP401",
        ),
        (
            429,
            "Connection limit exceeded".into(),
            StoreErrorKind::Throttled,
            "HTTP429",
        ),
        (
            400,
            "not ready to serve traffic, please wait".into(),
            StoreErrorKind::Unavailable,
            "HTTP400",
        ),
        (
            400,
            fault("two words"),
            StoreErrorKind::Unavailable,
            "HTTP400",
        ),
    ] {
        let reply = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (port, _) = fake(reply).await;
        let reader = ExtensionReader::agent(port, "sentinel".into());
        let fault = reader.get(&"app/db".into(), &Version::CURRENT).await;
        let fault = fault.expect_err(code);
        assert_eq!((fault.kind, fault.code.as_deref()), (kind, Some(code)));
        assert!(!format!("{fault} {fault:?} {reader:?}").contains("sentinel"));
    }
}

#[tokio::test]
async fn what_is_no_answer_is_unavailable() {
    for reply in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull",
    ] {
        let (port, _) = fake(reply).await;
        let reader = ExtensionReader::agent(port, "token".into());
        let fault = reader.get(&"app/db".into(), &Version::CURRENT).await;
        assert_eq!(
            fault.expect_err(reply).kind,
            StoreErrorKind::Unavailable,
            "{reply}"
        );
    }
    // Nothing listens on a port that was just given back.
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let reader = ExtensionReader::agent(port, "token".into());
    let fault = reader.get(&"app/db".into(), &Version::CURRENT).await;
    assert_eq!(
        fault.expect_err("nothing").code.as_deref(),
        Some("NoConnection")
    );
}

#[tokio::test]
async fn a_token_file_is_read_for_each_request() {
    let (port, asked) = fake(ok(&value(r#""SecretString":"x""#))).await;
    let file = std::env::temp_dir().join(format!("awssmatoken-{}", std::process::id()));
    let reader = ExtensionReader::agent_with_token_file(port, &file);
    for token in ["one", "two\n"] {
        std::fs::write(&file, token).expect("a file");
        let read = reader.get(&"app/db".into(), &Version::CURRENT).await;
        read.expect("a secret");
    }
    std::fs::remove_file(&file).expect("a file");
    let fault = reader.get(&"app/db".into(), &Version::CURRENT).await;
    assert_eq!(
        fault.expect_err("no file").code.as_deref(),
        Some("NoTokenFile")
    );
    let asked = asked.lock().expect("no panic");
    assert!(asked[0].ends_with(": one\r\n\r\n") && asked[1].ends_with(": two\r\n\r\n"));
}

#[tokio::test]
async fn a_client_reads_through_it() {
    let (port, asked) = fake(ok(&value(r#""SecretString":"x""#))).await;
    let secrets = SecretsClient::new(ExtensionReader::agent(port, "token".into()));
    for id in ["app/db", ARN, "app/db"] {
        secrets.get_secret(id).await.expect("a secret");
    }
    assert_eq!(asked.lock().expect("no panic").len(), 1);
}

#[tokio::test]
async fn the_extension_is_found_by_what_a_function_has_in_its_environment() {
    let (port, asked) = fake(ok(&value(r#""SecretString":"x""#))).await;
    for (name, token) in [
        ("AWS_SESSION_TOKEN", "of-the-session"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "under-snapstart"),
    ] {
        let reader = ExtensionReader::extension_from_lookup(|asked| match asked {
            "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT" => Some(port.to_string()),
            // An empty one is passed over.
            "AWS_SESSION_TOKEN" if asked != name => Some(String::new()),
            _ => (asked == name).then(|| token.to_owned()),
        });
        let reader = reader.expect("a token");
        assert!(format!("{reader:?}").contains(&format!("127.0.0.1:{port}")));
        assert!(!format!("{reader:?}").contains(token));
        let read = reader.get(&"app/db".into(), &Version::CURRENT).await;
        read.expect("a secret");
        let request = asked.lock().expect("no panic").pop();
        let header = format!("x-aws-parameters-secrets-token: {token}\r\n");
        assert!(request.expect("a request").contains(&header));
    }
}

#[test]
fn the_extension_has_its_usual_port_where_the_environment_names_none() {
    for port in [None, Some(""), Some("none")] {
        let reader = ExtensionReader::extension_from_lookup(|name| match name {
            "AWS_SESSION_TOKEN" => Some("token".to_owned()),
            "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT" => port.map(str::to_owned),
            _ => None,
        });
        let reader = reader.expect("a token");
        assert_eq!(
            format!("{reader:?}"),
            "ExtensionReader { kind: Extension, address: 127.0.0.1:2773, .. }"
        );
    }
}

#[test]
fn the_agent_is_found_by_the_variables_that_it_looks_at_itself() {
    let mut known: Vec<&str> = Vec::new();
    for name in [
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_SESSION_TOKEN",
        "AWS_TOKEN",
    ] {
        known.push(name);
        let looked = std::cell::RefCell::new(Vec::new());
        let reader = ExtensionReader::agent_from_lookup(|asked| {
            looked.borrow_mut().push(asked.to_owned());
            known.contains(&asked).then(|| "token".to_owned())
        });
        assert_eq!(
            format!("{:?}", reader.expect("a token")),
            "ExtensionReader { kind: Agent, address: 127.0.0.1:2773, .. }"
        );
        // Each of them goes before those that were known already.
        assert_eq!(looked.take().last().map(String::as_str), Some(name));
    }
}

#[test]
fn without_a_token_it_is_said_which_variable_to_set() {
    let empty = |_: &str| Some(String::new());
    for reader in [
        ExtensionReader::extension_from_lookup(|_| None),
        ExtensionReader::extension_from_lookup(empty),
        ExtensionReader::agent_from_lookup(|_| None),
        ExtensionReader::agent_from_lookup(empty),
    ] {
        let fault = reader.expect_err("no token").to_string();
        assert!(fault.starts_with("there is no token"), "{fault}");
        assert!(fault.contains("`AWS_TOKEN`"), "{fault}");
    }
}
