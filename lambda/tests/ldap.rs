//! Entries of directories as they are rotated when deployed: event, binary, Secrets Manager over the wire, and a
//! real server with TLS.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use std::path::Path;
use std::time::Duration;

use harness::lambda_host::LambdaHost;
use harness::ldap::{LdapBuilder, LdapServer};
use harness::secrets_manager::Moto;
use rotators::ldap::{CaCertificates, LdapSettings, SingleUser};
use rotators::password::{PasswordPolicy, PasswordRules};
use secrets_core::document::SecretDocument;
use secrets_core::event::Step;
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::sentinel;
use serde_json::{Value, json};
use tokio::time::Instant;

const TIMEOUT: Duration = Duration::from_secs(30);
const FIRST: &str = "sentinel:fir'st\"\\%41";
const ADMIN: &str = "sentinel-of-the-admin";
const APP: &str = "uid=app,ou=services,dc=example,dc=com";
const ROTATOR: &str = "cn=rotator,dc=example,dc=com";

struct Stage {
    server: LdapServer,
    moto: Moto,
    lambda: LambdaHost,
    arn: String,
}

impl Stage {
    async fn start(builder: LdapBuilder, extra: Value) -> Self {
        let builder = builder
            .access(&format!(
                "to dn.subtree=\"ou=services,dc=example,dc=com\" attrs=userPassword \
                 by dn.exact=\"{ROTATOR}\" write by anonymous auth by * none"
            ))
            .access("to attrs=userPassword by anonymous auth by * none")
            .access("to * by users read")
            .user("app", FIRST)
            .entry(&format!(
                "dn: {ROTATOR}\nobjectClass: device\nobjectClass: simpleSecurityObject\ncn: rotator\n\
                 userPassword: {ADMIN}"
            ));
        let (server, moto) = tokio::join!(builder.start(), Moto::start());
        let secrets = moto.client();
        let admin = json!({"username": ROTATOR, "password": ADMIN}).to_string();
        let admin = secrets.create_secret("Demo/ldap_admin", &admin).await;
        let port = if extra["start_tls"] == json!(true) {
            server.plain_port()
        } else {
            server.port()
        };
        let mut value = json!({
            "engine": "openldap", "host": server.host(), "port": port, "username": APP,
            "password": FIRST, "masterarn": admin, "kept": 1.50,
        });
        for (key, part) in extra.as_object().expect("an object") {
            value[key] = part.clone();
        }
        let arn = secrets.create_secret("Demo/ldap", &value.to_string()).await;
        let env = [
            ("SECRETS_MANAGER_ENDPOINT", moto.endpoint()),
            ("CA_CERTIFICATE", &server.ca_pem()),
            ("PASSWORD_LENGTH", "40"),
        ];
        let lambda = LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_ldap")), &env);
        Self {
            server,
            moto,
            lambda,
            arn,
        }
    }

    async fn rotate(&self, n: usize) {
        let token = format!("00000000-0000-0000-0000-{n:012}");
        self.moto.client().begin_rotation(&self.arn, &token).await;
        for step in Step::ALL {
            let event = json!({
                "Step": step.as_str(), "SecretId": self.arn, "ClientRequestToken": token,
            });
            let answer = self.lambda.invoke(&event, TIMEOUT).await;
            assert!(answer.is_response(), "{step}: {answer:?}");
        }
    }

    async fn value(&self, label: &str) -> String {
        let value = self.moto.client().value(&self.arn, label).await;
        value.expect("a value")
    }

    /// Whether the server takes what the secret holds.
    async fn takes(&self, value: &str) -> Verdict {
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("rules");
        let mut settings = LdapSettings::new(policy);
        settings.ca_certificate = CaCertificates::from_pem(&self.server.ca_pem()).ok();
        let rotator = SingleUser::new(MemoryStore::new(), settings);
        let candidate = &SecretDocument::from_text(value);
        let candidate = candidate.try_into().expect("a credential");
        let deadline = Instant::now() + TIMEOUT;
        let cx = Context::new("secret".into(), "version".into(), deadline);
        let verdict = rotator.test(&candidate, &cx).await;
        verdict.expect("the server answers")
    }

    async fn rotates(&self) {
        let first = self.value("AWSCURRENT").await;
        let mut seen = vec![password(&first)];
        for n in 1..=3 {
            self.rotate(n).await;
            let current = self.value("AWSCURRENT").await;
            assert_eq!(password(&current).len(), 40);
            assert!(current.contains("1.5"), "other keys are kept: {n}");
            assert_eq!(self.takes(&current).await, Verdict::Accepted);
            let previous = self.value("AWSPREVIOUS").await;
            assert_eq!(self.takes(&previous).await, Verdict::Accepted);
            seen.push(password(&current));
        }
        assert_eq!(self.takes(&first).await, Verdict::Rejected, "retired");
        seen.push(ADMIN.to_owned());
        let (logs, server) = (self.lambda.logs(), self.server.log());
        assert!(!logs.is_empty());
        for password in seen {
            assert_eq!(sentinel::found(&password, &logs), None);
            assert_eq!(sentinel::found(&password, &server), None);
        }
        assert!(!logs.contains("{SSHA}"));
    }
}

fn password(value: &str) -> String {
    let value: Value = serde_json::from_str(value).expect("JSON");
    value["password"].as_str().expect("a password").to_owned()
}

#[tokio::test]
async fn an_entry_rotates() {
    let stage = Stage::start(LdapServer::builder(), json!({})).await;
    stage.rotates().await;
}

#[tokio::test]
async fn an_entry_rotates_over_start_tls() {
    let stage = Stage::start(LdapServer::builder(), json!({"start_tls": true})).await;
    stage.rotates().await;
}

#[tokio::test]
async fn a_missing_entry_is_told_under_a_stable_type() {
    let missing = json!({"username": "uid=nobody,ou=services,dc=example,dc=com"});
    let stage = Stage::start(LdapServer::builder(), missing).await;
    let secrets = stage.moto.client();
    let token = "00000000-0000-0000-0000-000000000009";
    secrets.begin_rotation(&stage.arn, token).await;
    let event = json!({"Step": "createSecret", "SecretId": stage.arn, "ClientRequestToken": token});
    let answer = stage.lambda.invoke(&event, TIMEOUT).await;
    let (kind, message) = answer.error();
    assert_eq!(kind, "RotatorMisconfigured");
    assert!(message.contains("no entry"), "{message}");
}
