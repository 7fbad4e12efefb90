//! One user, from one version to the next.

use std::time::Duration;

use harness::mongodb::FakeMongo;
use secrets_core::rotation::Outcome;
use secrets_core::store::{Label, SecretReader, Version};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{ADMIN, DB, FIRST, SECRET, Stage, add_user, populate, put_admin, with_admin};

#[tokio::test]
async fn a_password_is_replaced_again_and_again() {
    for extra in [json!({}), with_admin()] {
        let stage = Stage::start(&extra).await;
        let rights = stage.rights("app");
        for version in ["second", "third", "fourth"] {
            stage.rotates(&stage.single(), version).await;
        }
        assert!(!stage.server.knows(DB, "app", FIRST));
        assert_eq!(stage.rights("app"), rights);
        // One for each rotation: that of the pending password, before it is set.
        assert_eq!(stage.server.logins().1, 3);
        let read = stage.store.get(&SECRET.into(), &Version::CURRENT).await;
        let secrets_core::document::Exposed::Text(text) = read.expect("a value").document.expose()
        else {
            panic!("no text");
        };
        let text = secrecy::ExposeSecret::expose_secret(&text);
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(value["kept"], json!(1.5));
    }
}

/// Without their names a server would make hashes of both kinds.
#[tokio::test]
async fn mechanisms_stay_as_they_are() {
    for only in ["SCRAM-SHA-1", "SCRAM-SHA-256"] {
        let stage = Stage::start(&json!({})).await;
        stage.server.keep_mechanisms(DB, "app", &[only]);
        stage.rotates(&stage.single(), "second").await;
        let rights = stage.rights("app");
        let mechanisms = rights.get_array("mechanisms").expect("a list");
        assert_eq!(mechanisms, &vec![bson::Bson::from(only)]);
    }
}

#[tokio::test]
async fn document_db_and_plaintext_are_rotated_too() {
    let document_db = FakeMongo::builder().document_db();
    let stage = Stage::start_with(document_db, &json!({"engine": "docdb"})).await;
    stage.rotates(&stage.single(), "second").await;
    let plaintext = FakeMongo::builder().without_tls();
    let stage = Stage::start_with(plaintext, &json!({"ssl": false})).await;
    stage.rotates(&stage.single(), "second").await;
}

/// A rotation of AWS's function that ended behind its setSecret.
#[tokio::test]
async fn a_rotation_that_aws_left_half_done_is_finished() {
    let stage = Stage::start(&json!({})).await;
    stage.put_pending("second", "app", "sentinel-of-aws").await;
    stage
        .server
        .create_user(DB, "app", "sentinel-of-aws", &[("itself", DB)]);
    let rotated = stage.rotate(&stage.single(), "second").await;
    assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
    assert_eq!(stage.login(&Label::Current).await.1, "sentinel-of-aws");
    assert!(stage.work().is_empty());
    stage.rotates(&stage.single(), "third").await;
}

/// As AWS's functions have it: `dbname` says where the user is.
#[tokio::test]
async fn users_and_admins_live_in_databases_of_their_own() {
    let stage = Stage::start(&with_admin()).await;
    let mut secret = stage.document(&with_admin());
    secret
        .as_object_mut()
        .expect("an object")
        .remove("authentication_database");
    secret["dbname"] = DB.into();
    crate::support::put(&stage.store, SECRET, "by dbname", &secret);
    stage
        .server
        .create_role(DB, "rotator", &[(DB, &["viewUser", "changePassword"])]);
    stage
        .server
        .create_user(DB, "other admin", ADMIN, &[("rotator", DB)]);
    let admin = json!({"username": "other admin", "authSource": DB, "host": "127.0.0.1"});
    put_admin(&stage.store, &admin);
    stage.rotates(&stage.single(), "second").await;
}

#[tokio::test]
async fn a_secondary_leads_to_the_primary() {
    let stage = Stage::start(&json!({})).await;
    let primary = FakeMongo::builder().start().await;
    populate(&primary);
    add_user(&primary, "app");
    let address = format!("127.0.0.1:{}", primary.port());
    stage.server.step_down(Some(address));
    // Each has an authority of its own; the name of the secret is that of its own host.
    let both = format!("{}\n{}", stage.server.ca_pem(), primary.ca_pem());
    let extra = json!({"ca_certificate": both, "tls_server_name": "localhost"});
    stage.put("through a secondary", &extra);
    let rotated = stage.rotate(&stage.single(), "second").await;
    assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
    let (user, password) = stage.login(&Label::Current).await;
    assert!(primary.knows(DB, &user, &password));
    // Nobody logs in at a secondary: it may not know of the new password yet.
    assert_eq!(stage.server.logins(), (0, 0));
    assert_eq!(primary.logins(), (4, 1));
}

#[tokio::test]
async fn nothing_is_left_open_behind_a_rotation() {
    let stage = Stage::start(&with_admin()).await;
    stage.rotates(&stage.single(), "second").await;
    stage.rotates(&stage.pair(), "third").await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while stage.server.open_connections() > 0 {
        assert!(Instant::now() < deadline, "connections are open");
        tokio::task::yield_now().await;
    }
}
