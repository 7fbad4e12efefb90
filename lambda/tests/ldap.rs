//! Entries of directories as they are rotated when deployed: event, binary, Secrets Manager over the wire, and a
//! real server with TLS.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

#[path = "support/deployed.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod deployed;

use std::path::Path;

use harness::lambda_host::LambdaHost;
use harness::ldap::{LdapBuilder, LdapServer};
use harness::secrets_manager::Moto;
use rotators::ldap::{CaCertificates, LdapSettings, SingleUser};
use rotators::password::{PasswordPolicy, PasswordRules};
use secrets_core::store::memory::MemoryStore;
use serde_json::{Value, json};

use deployed::{Deployed, hides};

const FIRST: &str = "sentinel:fir'st\"\\%41";
const ADMIN: &str = "sentinel-of-the-admin";
const APP: &str = "uid=app,ou=services,dc=example,dc=com";
const ROTATOR: &str = "cn=rotator,dc=example,dc=com";

struct Stage {
    server: LdapServer,
    function: Deployed,
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
            function: Deployed { moto, lambda, arn },
        }
    }

    /// What asks the server whether it takes what the secret holds.
    fn rotator(&self) -> SingleUser<MemoryStore> {
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("rules");
        let mut settings = LdapSettings::new(policy);
        settings.ca_certificate = CaCertificates::from_pem(&self.server.ca_pem()).ok();
        SingleUser::new(MemoryStore::new(), settings)
    }

    async fn rotates(&self) {
        let mut seen = self.function.rotates_two_passwords(&self.rotator()).await;
        seen.push(ADMIN.to_owned());
        let logs = self.function.lambda.logs();
        for log in [&logs, &self.server.log()] {
            hides(log, seen.iter().map(String::as_str));
        }
        assert!(!logs.contains("{SSHA}"));
    }
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
    let (kind, message) = stage.function.fails_to_create(&stage.function.arn).await;
    assert_eq!(kind, "RotatorMisconfigured");
    assert!(message.contains("no entry"), "{message}");
}
