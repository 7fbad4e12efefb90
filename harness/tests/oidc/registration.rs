//! Dynamic registration (RFC 7591) and the management of what was registered (RFC 7592).

use harness::oidc::{OidcProvider, Settings};
use hyper::Method;
use serde_json::{Value, json};

use crate::assertion::{Key, claims, form};
use crate::client::{Answer, basic, post, resource, send, sent};

/// A registered client: where its record is, and the token that opens it.
pub(crate) struct Registered {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) url: String,
    pub(crate) access: String,
}

impl Registered {
    /// Registers a client that authenticates by its secret.
    pub(crate) async fn new(server: &OidcProvider) -> Self {
        let metadata = json!({
            "redirect_uris": [], "response_types": [], "grant_types": ["client_credentials"],
            "client_name": "reports",
        });
        let bearer = format!("Bearer {}", server.initial_access_token().await);
        let url = server.registration_url();
        let answer = sent(send(Method::POST, &url, &bearer, Some(&metadata)).await);
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.body["client_secret_expires_at"], 0);
        Self {
            id: answer.text("client_id"),
            secret: answer.text("client_secret"),
            url: answer.text("registration_client_uri"),
            access: answer.text("registration_access_token"),
        }
    }

    pub(crate) async fn call(&self, method: Method, body: Option<&Value>) -> Answer {
        sent(self.try_call(method, body).await)
    }

    pub(crate) async fn try_call(&self, method: Method, body: Option<&Value>) -> Option<Answer> {
        send(method, &self.url, &format!("Bearer {}", self.access), body).await
    }

    /// What an update has to hold: all that is to stay.
    pub(crate) fn metadata(&self) -> Value {
        json!({
            "client_id": self.id, "client_name": "reports",
            "redirect_uris": [], "response_types": [], "grant_types": ["client_credentials"],
        })
    }

    /// The answer of the token endpoint to this secret.
    pub(crate) async fn mint(&self, server: &OidcProvider, secret: &str) -> Answer {
        let form = [("grant_type", "client_credentials")];
        post(&server.token_url(), &basic(&self.id, secret), &form).await
    }
}

#[tokio::test]
async fn registering_takes_an_initial_access_token() {
    let server = OidcProvider::start(Settings::new()).await;
    let client = Registered::new(&server).await;
    assert_eq!(
        client.url,
        format!("{}/{}", server.registration_url(), client.id)
    );
    assert_eq!(client.mint(&server, &client.secret).await.status, 200);

    let body = json!({"redirect_uris": []});
    for bearer in ["", "Bearer never-issued"] {
        let answer = send(
            Method::POST,
            &server.registration_url(),
            bearer,
            Some(&body),
        )
        .await;
        let answer = sent(answer);
        assert_eq!(answer.refusal(), (401, "invalid_token"), "{bearer}");
    }
}

#[tokio::test]
async fn reading_shows_the_secret_in_clear() {
    let server = OidcProvider::start(Settings::new()).await;
    let client = Registered::new(&server).await;
    let answer = client.call(Method::GET, None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text("client_secret"), client.secret);
    assert_eq!(answer.text("registration_access_token"), client.access);
    assert_eq!(answer.text("registration_client_uri"), client.url);
    assert_eq!(answer.text("client_name"), "reports");
}

#[tokio::test]
async fn a_registration_access_token_at_another_client_is_destroyed() {
    let server = OidcProvider::start(Settings::new()).await;
    let client = Registered::new(&server).await;
    let mut astray = Registered::new(&server).await;
    astray.access.clone_from(&client.access);
    assert_eq!(
        astray.call(Method::GET, None).await.refusal(),
        (401, "invalid_token")
    );
    // One wrong URL, and the right one is shut as well.
    assert_eq!(
        client.call(Method::GET, None).await.refusal(),
        (401, "invalid_token")
    );
    // The client itself goes on working.
    assert_eq!(client.mint(&server, &client.secret).await.status, 200);
}

#[tokio::test]
async fn an_update_replaces_all_metadata_and_takes_no_answer_back_as_it_is() {
    let server = OidcProvider::start(Settings::new()).await;
    let client = Registered::new(&server).await;
    let read = client.call(Method::GET, None).await.body;
    let answer = client.call(Method::PUT, Some(&read)).await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));

    let mut kept = read.clone();
    let members = kept.as_object_mut().expect("an object");
    for forbidden in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        assert!(members.remove(forbidden).is_some(), "{forbidden}");
    }
    let answer = client.call(Method::PUT, Some(&kept)).await;
    assert_eq!((answer.status, &answer.body), (200, &read));

    let mut less = client.metadata();
    less.as_object_mut()
        .expect("an object")
        .remove("client_name");
    let answer = client.call(Method::PUT, Some(&less)).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body["client_name"].is_null());

    less["client_id"] = json!("another");
    let answer = client.call(Method::PUT, Some(&less)).await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
}

#[tokio::test]
async fn deleting_ends_the_client_and_not_its_tokens() {
    let server = OidcProvider::start(Settings::new()).await;
    let client = Registered::new(&server).await;
    let token = client
        .mint(&server, &client.secret)
        .await
        .text("access_token");
    let answer = client.call(Method::DELETE, None).await;
    assert_eq!((answer.status, &answer.body), (204, &Value::Null));
    assert_eq!(server.client(&client.id).await, None);

    let refused = client.mint(&server, &client.secret).await;
    assert_eq!(refused.refusal(), (401, "invalid_client"));
    assert_eq!(
        client.call(Method::DELETE, None).await.refusal(),
        (401, "invalid_token")
    );
    assert_eq!(resource(&server, &token).await, 200);
}

#[tokio::test]
async fn a_client_of_the_settings_can_be_managed_too() {
    let client = json!({"client_id": "reports", "client_secret": "secret"});
    let server = OidcProvider::start(Settings::new().client(client)).await;
    let client = Registered {
        id: "reports".to_owned(),
        secret: "secret".to_owned(),
        url: format!("{}/reports", server.registration_url()),
        access: server.registration_access_token("reports").await,
    };
    let answer = client.call(Method::GET, None).await;
    assert_eq!(answer.text("client_secret"), client.secret);
}

#[tokio::test]
async fn a_key_set_may_hold_two_keys_and_a_key_left_out_is_dead_at_once() {
    let server = OidcProvider::start(Settings::new()).await;
    let client = Registered::new(&server).await;
    let (old, new) = (Key::generate("old"), Key::generate("new"));
    let update = async |keys: &[&Key]| {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        let mut metadata = client.metadata();
        metadata["token_endpoint_auth_method"] = json!("private_key_jwt");
        metadata["jwks"] = json!({"keys": keys});
        let answer = client.call(Method::PUT, Some(&metadata)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    let mint = async |key: &Key| {
        let assertion = key.sign(&claims(&client.id, server.issuer()));
        post(&server.token_url(), "", &form(&assertion))
            .await
            .status
    };
    update(&[&old]).await;
    assert_eq!([mint(&old).await, mint(&new).await], [200, 401]);
    update(&[&old, &new]).await;
    assert_eq!([mint(&old).await, mint(&new).await], [200, 200]);
    update(&[&new]).await;
    assert_eq!([mint(&old).await, mint(&new).await], [401, 200]);
}
