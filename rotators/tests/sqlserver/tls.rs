//! Who is trusted, and that nothing is ever sent without protection but where the secret says so.

use harness::sqlserver::{Encryption, SqlServer};
use harness::tls::TestCa;
use secrets_core::rotator::RotatorErrorKind as Kind;
use serde_json::json;

use crate::support::Fixture;

async fn with(encryption: Encryption) -> Fixture {
    Fixture::on(SqlServer::start_with(encryption).await)
}

#[tokio::test]
async fn tls_is_used_wherever_it_is_offered() {
    for encryption in [Encryption::Offered, Encryption::Required] {
        let fixture = with(encryption).await;
        fixture.rotates(&fixture.single(), "second").await;
        fixture.rotates(&fixture.alternating(), "third").await;
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_before_a_password_is_sent() {
    let fixture = with(Encryption::NotSupported).await;
    let kind = (Kind::Tls, None);
    fixture
        .fails(&fixture.single(), "second", kind, "offers no TLS")
        .await;
    assert_eq!(fixture.server.refused_logins(), 0);
}

#[tokio::test]
async fn plaintext_is_a_word_of_the_secret() {
    for encryption in [Encryption::NotSupported, Encryption::Offered] {
        let fixture = with(encryption).await;
        fixture.put_current("plain", &json!({"ssl": false}));
        fixture.rotates(&fixture.single(), "second").await;
        fixture.rotates(&fixture.alternating(), "third").await;
    }
    let fixture = with(Encryption::Required).await;
    fixture.put_current("plain", &json!({"ssl": false}));
    let kind = (Kind::Tls, None);
    fixture
        .fails(&fixture.single(), "second", kind, "asks for TLS")
        .await;
    assert_eq!(fixture.server.refused_logins(), 0);
}

#[tokio::test]
async fn nobody_else_is_taken_for_the_server() {
    let kind = (Kind::Tls, None);
    let fixture = with(Encryption::Offered).await;
    let stranger = TestCa::generate().pem();
    fixture.put_current("stranger", &json!({"ca_certificate": stranger}));
    let rotation = fixture.single();
    fixture
        .fails(&rotation, "second", kind, "no trusted authority")
        .await;

    let names = ["db.example".to_owned()];
    let server = SqlServer::with_certificate_for(Encryption::Offered, &names).await;
    let fixture = Fixture::on(server);
    fixture
        .fails(&fixture.single(), "second", kind, "another name")
        .await;
    fixture.put_current("alias", &json!({"tls_server_name": "db.example"}));
    fixture.rotates(&fixture.single(), "third").await;
    assert_eq!(fixture.server.refused_logins(), 1, "the probe alone");
}

#[tokio::test]
async fn what_is_no_sql_server_is_told() {
    let fixture = with(Encryption::Offered).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let other = tokio::spawn(async move {
        for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
            let (mut client, _) = listener.accept().await.expect("a client");
            let mut bytes = [0; 64];
            let read = tokio::io::AsyncReadExt::read(&mut client, &mut bytes).await;
            read.expect("a greeting");
            let sent = tokio::io::AsyncWriteExt::write_all(&mut client, answer.as_bytes()).await;
            sent.expect("a client");
        }
    });
    fixture.put_current("other", &json!({"port": port, "masterarn": null}));
    let kind = (Kind::Misconfigured, None);
    fixture
        .fails(&fixture.single(), "second", kind, "does not speak TDS 7")
        .await;
    fixture.put_current("other2", &json!({"port": port, "masterarn": null}));
    let kind = (Kind::Unreachable, None);
    fixture
        .fails(&fixture.single(), "third", kind, "closed the connection")
        .await;
    other.await.expect("both were answered");
}
