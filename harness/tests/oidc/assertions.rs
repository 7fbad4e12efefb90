//! What the server asks of an assertion, above all of its times and its id.

use std::time::Duration;

use harness::oidc::{OidcProvider, Settings};
use serde_json::{Value, json};

use crate::assertion::{Key, claims, form, now, sign_with_secret};
use crate::client::{Answer, post};

const SECRET: &str = "a-secret-of-32-characters-or-more";

struct Setup {
    server: OidcProvider,
    key: Key,
}

impl Setup {
    /// A server that tolerates no difference between the clocks.
    async fn start() -> Self {
        Self::with(Settings::new().clock_tolerance(Duration::ZERO)).await
    }

    async fn with(settings: Settings) -> Self {
        let key = Key::generate("first");
        let settings = settings
            .client(json!({
                "client_id": "signs", "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [key.public()]},
            }))
            .client(json!({
                "client_id": "shares", "client_secret": SECRET,
                "token_endpoint_auth_method": "client_secret_jwt",
            }));
        let server = OidcProvider::start(settings).await;
        Self { server, key }
    }

    fn claims(&self) -> Value {
        claims("signs", self.server.issuer())
    }

    async fn present(&self, assertion: &str) -> Answer {
        post(&self.server.token_url(), "", &form(assertion)).await
    }

    /// Proper claims with a change, signed and presented.
    async fn with_claims(&self, change: Value) -> Answer {
        let mut claims = self.claims();
        for (name, value) in change.as_object().expect("an object") {
            if value.is_null() {
                claims.as_object_mut().expect("an object").remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        self.present(&self.key.sign(&claims)).await
    }
}

#[tokio::test]
async fn both_kinds_of_assertion_authenticate() {
    let setup = Setup::start().await;
    setup.with_claims(json!({})).await.text("access_token");
    let shared = claims("shares", setup.server.issuer());
    let answer = setup.present(&sign_with_secret(SECRET, &shared)).await;
    answer.text("access_token");

    // The wrong key, and the wrong way to present the right secret.
    let forged = Key::generate("first").sign(&setup.claims());
    assert_eq!(
        setup.present(&forged).await.refusal(),
        (401, "invalid_client")
    );
    let shared = claims("shares", setup.server.issuer());
    let forged = sign_with_secret("another-secret-of-32-characters!", &shared);
    assert_eq!(
        setup.present(&forged).await.refusal(),
        (401, "invalid_client")
    );
    let plain = [
        ("grant_type", "client_credentials"),
        ("client_id", "shares"),
        ("client_secret", SECRET),
    ];
    let answer = post(&setup.server.token_url(), "", &plain).await;
    assert_eq!(answer.refusal(), (401, "invalid_client"));
}

#[tokio::test]
async fn the_audience_is_the_issuer_or_an_endpoint() {
    let setup = Setup::start().await;
    let (issuer, token) = (setup.server.issuer().to_owned(), setup.server.token_url());
    for audience in [
        json!(issuer),
        json!(token),
        json!(["https://elsewhere.example", issuer]),
    ] {
        let answer = setup.with_claims(json!({"aud": audience})).await;
        answer.text("access_token");
    }
    // At another endpoint that one's own address will do, too.
    let url = setup.server.introspection_url();
    let assertion = setup.key.sign(&claims("signs", &url));
    let asked = [form(&assertion)[1], form(&assertion)[2], ("token", "any")];
    let answer = post(&url, "", &asked).await;
    assert_eq!(answer.body, json!({"active": false}));

    let audiences = [
        json!("https://elsewhere.example"),
        json!(format!("{issuer}/")),
        Value::Null,
    ];
    for audience in audiences {
        let answer = setup.with_claims(json!({"aud": audience})).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"), "{audience}");
    }
}

#[tokio::test]
async fn an_assertion_is_good_for_one_request() {
    let setup = Setup::start().await;
    let assertion = setup.key.sign(&setup.claims());
    setup.present(&assertion).await.text("access_token");
    assert!(!setup.server.log().contains("only be used once"));
    assert_eq!(
        setup.present(&assertion).await.refusal(),
        (401, "invalid_client")
    );
    assert!(setup.server.log().contains("only be used once"));

    // At no other endpoint either; and it is the id that counts, not the text.
    let claims = setup.claims();
    setup
        .present(&setup.key.sign(&claims))
        .await
        .text("access_token");
    let again = setup.key.sign(&claims);
    let asked = [form(&again)[1], form(&again)[2], ("token", "any")];
    let answer = post(&setup.server.introspection_url(), "", &asked).await;
    assert_eq!(answer.refusal(), (401, "invalid_client"));
    let later = json!({"jti": claims["jti"], "exp": now() + 90});
    assert_eq!(
        setup.with_claims(later).await.refusal(),
        (401, "invalid_client")
    );

    // One that was refused for something else has not used up its id.
    let claims = setup.claims();
    let refused = json!({"jti": claims["jti"], "aud": "https://elsewhere.example"});
    assert_eq!(setup.with_claims(refused).await.status, 401);
    setup
        .present(&setup.key.sign(&claims))
        .await
        .text("access_token");
}

#[tokio::test]
async fn an_assertion_used_up_by_a_request_that_failed_is_used_up() {
    let setup = Setup::start().await;
    let assertion = setup.key.sign(&setup.claims());
    let mut wrong = form(&assertion);
    wrong[0].1 = "password";
    let answer = post(&setup.server.token_url(), "", &wrong).await;
    assert_eq!(answer.refusal(), (400, "unsupported_grant_type"));
    assert_eq!(
        setup.present(&assertion).await.refusal(),
        (401, "invalid_client")
    );
}

#[tokio::test]
async fn times_are_checked_and_some_are_not() {
    let setup = Setup::start().await;
    let accepted = [
        // With an expiry, the time of issue is not looked at, nor how far the expiry is away.
        json!({"iat": now() + 3600}),
        json!({"iat": now() - 86400}),
        json!({"iat": null, "nbf": null}),
        json!({"exp": now() + 10 * 365 * 86400}),
    ];
    for change in accepted {
        let answer = setup.with_claims(change.clone()).await;
        assert_eq!(answer.status, 200, "{change}");
    }
    let refused = [
        json!({"exp": null}),
        json!({"exp": now() - 1}),
        json!({"nbf": now() + 30}),
        json!({"jti": null}),
        json!({"iss": "shares"}),
        json!({"iss": null}),
        json!({"sub": null}),
        json!({"exp": "soon"}),
    ];
    for change in refused {
        let answer = setup.with_claims(change.clone()).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"), "{change}");
    }
}

#[tokio::test]
async fn the_tolerance_covers_expiry_and_not_before() {
    let setup = Setup::with(Settings::new().clock_tolerance(Duration::from_mins(5))).await;
    for near in [json!({"exp": now() - 200}), json!({"nbf": now() + 200})] {
        let answer = setup.with_claims(near.clone()).await;
        assert_eq!(answer.status, 200, "{near}");
    }
    for far in [json!({"exp": now() - 400}), json!({"nbf": now() + 400})] {
        let answer = setup.with_claims(far.clone()).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"), "{far}");
    }
    // Expired, and within the tolerance: its id is still remembered.
    let claims = json!({"exp": now() - 200, "jti": "once"});
    setup.with_claims(claims.clone()).await.text("access_token");
    assert_eq!(
        setup.with_claims(claims).await.refusal(),
        (401, "invalid_client")
    );
}
