//! Whether, and how, an update brings a new client secret, and what a lost answer costs.

use harness::oidc::{Endpoint, Misbehaviour, OidcProvider, Settings};
use harness::proxy::Fault;
use hyper::Method;
use serde_json::json;

use crate::assertion::Key;
use crate::client::resource;
use crate::registration::Registered;

#[tokio::test]
async fn an_update_keeps_the_secret_whether_it_is_sent_or_left_out() {
    let server = OidcProvider::start(Settings::new()).await;
    let client = Registered::new(&server).await;
    let without = client.call(Method::PUT, Some(&client.metadata())).await;
    assert_eq!(without.text("client_secret"), client.secret);

    let mut with = client.metadata();
    with["client_secret"] = json!(client.secret);
    let with = client.call(Method::PUT, Some(&with)).await;
    assert_eq!(with.text("client_secret"), client.secret);

    // A client cannot choose its secret (RFC 7592, section 2.2).
    let mut chosen = client.metadata();
    chosen["client_secret"] = json!("chosen-by-the-client");
    let chosen = client.call(Method::PUT, Some(&chosen)).await;
    assert_eq!(chosen.refusal(), (400, "invalid_request"));
    assert_eq!(client.mint(&server, &client.secret).await.status, 200);
}

#[tokio::test]
async fn leaving_secrets_and_coming_back_brings_the_old_one_back() {
    let server = OidcProvider::start(Settings::new()).await;
    let client = Registered::new(&server).await;
    let mut signs = client.metadata();
    signs["token_endpoint_auth_method"] = json!("private_key_jwt");
    signs["jwks"] = json!({"keys": [Key::generate("a key").public()]});
    let answer = client.call(Method::PUT, Some(&signs)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(client.mint(&server, &client.secret).await.status, 401);
    let back = client.call(Method::PUT, Some(&client.metadata())).await;
    assert_eq!(back.text("client_secret"), client.secret);
    assert_eq!(client.mint(&server, &client.secret).await.status, 200);
}

#[tokio::test]
async fn with_the_policy_an_update_replaces_the_secret_at_once() {
    let server = OidcProvider::start(Settings::new().new_secret_on_update()).await;
    let client = Registered::new(&server).await;
    let token = client
        .mint(&server, &client.secret)
        .await
        .text("access_token");
    let mut secrets = vec![client.secret.clone()];
    for sent in [None, Some(())] {
        let mut metadata = client.metadata();
        if sent.is_some() {
            metadata["client_secret"] = json!(secrets[secrets.len() - 1]);
        }
        let answer = client.call(Method::PUT, Some(&metadata)).await;
        secrets.push(answer.text("client_secret"));
        let [.., old, new] = secrets.as_slice() else {
            panic!("two secrets")
        };
        assert_ne!(old, new);
        assert_eq!(
            client.mint(&server, old).await.refusal(),
            (401, "invalid_client")
        );
        assert_eq!(client.mint(&server, new).await.status, 200);
    }
    // What the first secret minted goes on.
    assert_eq!(resource(&server, &token).await, 200);
    let stored = server.client(&client.id).await.expect("a client");
    assert_eq!(stored["client_secret"], json!(secrets[2]));
}

#[tokio::test]
async fn a_lost_answer_of_an_update_can_be_read_again() {
    let server = OidcProvider::start(Settings::new().new_secret_on_update()).await;
    let client = Registered::new(&server).await;
    server.reset().await;
    server
        .fault_at(Endpoint::Registration, 1, Fault::After(Misbehaviour::Drop))
        .await;
    let lost = client.try_call(Method::PUT, Some(&client.metadata())).await;
    assert!(lost.is_none());
    assert_eq!(client.mint(&server, &client.secret).await.status, 401);
    let found = client.call(Method::GET, None).await.text("client_secret");
    assert_eq!(client.mint(&server, &found).await.status, 200);
}

#[tokio::test]
async fn an_update_may_replace_the_registration_access_token() {
    let settings = Settings::new().rotate_registration_access_tokens();
    let server = OidcProvider::start(settings).await;
    let mut client = Registered::new(&server).await;
    // Reading does not.
    let read = client.call(Method::GET, None).await;
    assert_eq!(read.text("registration_access_token"), client.access);

    let answer = client.call(Method::PUT, Some(&client.metadata())).await;
    let new = answer.text("registration_access_token");
    assert_ne!(new, client.access);
    assert_eq!(
        client.call(Method::GET, None).await.refusal(),
        (401, "invalid_token")
    );
    client.access = new;
    assert_eq!(client.call(Method::GET, None).await.status, 200);
}

#[tokio::test]
async fn a_lost_answer_with_a_new_registration_access_token_loses_the_client() {
    let settings = Settings::new().rotate_registration_access_tokens();
    let server = OidcProvider::start(settings.new_secret_on_update()).await;
    let client = Registered::new(&server).await;
    server.reset().await;
    server
        .fault_at(Endpoint::Registration, 1, Fault::After(Misbehaviour::Drop))
        .await;
    let lost = client.try_call(Method::PUT, Some(&client.metadata())).await;
    assert!(lost.is_none());
    // The old secret is dead, and nothing that the client holds opens its record.
    assert_eq!(client.mint(&server, &client.secret).await.status, 401);
    assert_eq!(
        client.call(Method::GET, None).await.refusal(),
        (401, "invalid_token")
    );

    // Only the server's own side can help.
    let access = server.registration_access_token(&client.id).await;
    let client = Registered { access, ..client };
    let found = client.call(Method::GET, None).await.text("client_secret");
    assert_eq!(client.mint(&server, &found).await.status, 200);
}
