//! Names that look like parts of commands, and passwords of every sign.

use harness::mongodb::FakeMongo;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{ADMIN, DB, FIRST, Stage, default_settings, put, with_admin};

const NAMES: [&str; 10] = [
    "a.b.c",
    "$where",
    "{\"$gt\": \"\"}",
    "\", roles: [\"root\"], x: \"",
    "n=admin,r=1",
    "a=2Cb",
    "back\\slash 'quote'",
    "Zoë 用户 🔑",
    "admin.rotator",
    "a\tb\nc",
];

#[tokio::test]
async fn names_are_never_part_of_a_command() {
    let stage = Stage::start(&with_admin()).await;
    let long = "n".repeat(900);
    for name in NAMES.into_iter().chain([long.as_str()]) {
        stage.server.create_role(DB, name, &[]);
        stage
            .server
            .create_user(DB, name, FIRST, &[("itself", DB), (name, DB)]);
        let mut extra = with_admin();
        extra["username"] = name.into();
        stage.put(&format!("of {name}"), &extra);
        stage
            .rotates(&stage.single(), &format!("single {name}"))
            .await;
        stage.rotates(&stage.pair(), &format!("pair {name}")).await;
        let clone = format!("{name}_clone");
        assert_eq!(stage.login(&Label::Current).await.0, clone);
        assert_eq!(stage.rights(name), stage.rights(&clone));
        stage.server.drop_user(DB, name);
        stage.server.drop_user(DB, &clone);
    }
    assert_eq!(stage.server.users(DB), ["app"]);
    assert_eq!(stage.server.users("admin"), ["rotator"]);
}

#[tokio::test]
async fn passwords_hold_every_printable_sign() {
    let all: String = (' '..='~').collect();
    for builder in [FakeMongo::builder(), FakeMongo::builder().document_db()] {
        let stage = Stage::start_with(builder, &json!({})).await;
        for (number, password) in [&all, "ﬁ ª Ⅸ", "pässwörd"].into_iter().enumerate() {
            stage
                .server
                .create_user(DB, "app", password, &[("itself", DB)]);
            let secret = stage.document(&json!({"password": password}));
            put(
                &stage.store,
                crate::support::SECRET,
                &format!("put {number}"),
                &secret,
            );
            stage
                .rotates(&stage.single(), &format!("rotated {number}"))
                .await;
        }
        // And as pending, which is then set.
        stage.put_pending("last", "app", &all).await;
        let rotated = stage.rotate(&stage.single(), "last").await;
        assert!(rotated.is_ok());
        assert!(stage.server.knows(DB, "app", &all));
    }
}

#[test]
fn debug_shows_settings_only() {
    let shown = format!("{:?}", default_settings());
    assert!(
        shown.starts_with("MongoDbSettings {") && !shown.contains(ADMIN),
        "{shown}"
    );
}
