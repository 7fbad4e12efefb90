//! The commands, to the letter.

use bson::{Document, doc};
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{DB, Stage, names, with_admin};

/// Commands without those of greeting and login, in the order of their fields.
fn work(stage: &Stage) -> Vec<String> {
    let commands = stage.server.commands().into_iter();
    let of_login = |name: &str| name == "isMaster" || name.starts_with("sasl");
    commands
        .filter(|command| !of_login(command.keys().next().expect("a name")))
        .map(|command| command.to_string())
        .collect()
}

fn texts(commands: &[Document]) -> Vec<String> {
    commands.iter().map(ToString::to_string).collect()
}

fn concern() -> Document {
    doc! {"w": "majority", "wtimeout": 8000}
}

#[tokio::test]
async fn of_a_user_nothing_but_the_password_is_changed() {
    for extra in [json!({}), with_admin()] {
        let stage = Stage::start(&extra).await;
        stage.rotates(&stage.single(), "second").await;
        let (_, password) = stage.login(&Label::Current).await;
        let expected = [
            doc! {"usersInfo": "app", "$db": DB},
            doc! {
                "updateUser": "app", "pwd": password, "mechanisms": ["SCRAM-SHA-1", "SCRAM-SHA-256"],
                "writeConcern": concern(), "$db": DB,
            },
        ];
        assert_eq!(work(&stage), texts(&expected));
    }
}

/// As AWS's functions find it there: no mechanisms are named.
#[tokio::test]
async fn a_server_that_tells_no_mechanisms_is_told_none() {
    let builder = harness::mongodb::FakeMongo::builder().document_db();
    let stage = Stage::start_with(builder, &json!({})).await;
    stage.rotates(&stage.single(), "second").await;
    let (_, password) = stage.login(&Label::Current).await;
    let expected = [
        doc! {"usersInfo": "app", "$db": DB},
        doc! {"updateUser": "app", "pwd": password, "writeConcern": concern(), "$db": DB},
    ];
    assert_eq!(work(&stage), texts(&expected));
}

#[tokio::test]
async fn the_second_user_is_made_whole_and_gets_its_password_last() {
    let stage = Stage::start(&with_admin()).await;
    stage.rotates(&stage.pair(), "second").await;
    let look = |user: &str| {
        doc! {"usersInfo": user, "showAuthenticationRestrictions": true, "$db": DB}
    };
    let (user, password) = stage.login(&Label::Current).await;
    assert_eq!(user, "app_clone");
    let commands = work(&stage);
    let shown = stage.rights("app");
    // Two looks of the probe; then the making.
    let thrown_away = commands[4].split('"').nth(7).expect("a password");
    assert!(thrown_away.len() == 44 && thrown_away != password);
    let create = doc! {
        "createUser": "app_clone", "pwd": thrown_away,
        "roles": [{"role": "itself", "db": DB}, {"role": "readWrite", "db": DB}],
        "customData": shown.get("customData").expect("data"),
        "authenticationRestrictions": shown.get("authenticationRestrictions").expect("restrictions"),
        "mechanisms": ["SCRAM-SHA-1", "SCRAM-SHA-256"], "writeConcern": concern(), "$db": DB,
    };
    let set = doc! {
        "updateUser": "app_clone", "pwd": password, "mechanisms": ["SCRAM-SHA-1", "SCRAM-SHA-256"],
        "writeConcern": concern(), "$db": DB,
    };
    let (one, two) = (look("app"), look("app_clone"));
    let expected = [
        one.clone(),
        two.clone(),
        one.clone(),
        two.clone(),
        create,
        two.clone(),
        set,
        one.clone(),
        two.clone(),
        one,
        two,
    ];
    assert_eq!(commands, texts(&expected));
}

/// Only what differs is named: each part takes a right of its own.
#[tokio::test]
async fn the_second_user_is_brought_into_line_by_what_differs() {
    let stage = Stage::start(&with_admin()).await;
    stage.rotates(&stage.pair(), "second").await;
    stage
        .server
        .set_roles(DB, "app", &[("read", DB), ("readWrite", "other")]);
    stage.server.reset();
    stage.rotates(&stage.pair(), "third").await;
    let align = doc! {
        "updateUser": "app",
        "roles": [{"role": "itself", "db": DB}, {"role": "readWrite", "db": DB}],
        "writeConcern": concern(), "$db": DB,
    };
    let commands = work(&stage);
    let updates: Vec<_> = commands
        .iter()
        .filter(|it| it.contains("updateUser"))
        .collect();
    assert_eq!(updates.len(), 2, "{commands:?}");
    assert_eq!(updates[0], &align.to_string());
}

#[tokio::test]
async fn a_login_is_three_messages_and_holds_no_password() {
    let stage = Stage::start(&json!({})).await;
    stage.rotates(&stage.single(), "second").await;
    let login = ["isMaster", "saslStart", "saslContinue"];
    // The pending password, the current one twice; then the new one twice.
    let change: &[&str] = &["usersInfo", "updateUser"];
    let expected = [&login, &login, &login[..], change, &login, &login].concat();
    assert_eq!(names(&stage.server), expected);

    let commands = stage.server.commands();
    let asked = commands[0].get_str("saslSupportedMechs");
    assert_eq!(asked.expect("a name"), format!("{DB}.app"));
    let start = &commands[1];
    let keys: Vec<_> = start.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["saslStart", "mechanism", "payload", "options", "$db"]
    );
    assert_eq!(start.get_str("mechanism").expect("a name"), "SCRAM-SHA-256");
    for (command, password) in commands.iter().flat_map(|command| {
        let passwords = stage.server.passwords().into_iter();
        passwords.map(move |password| (command, password))
    }) {
        let mut command = command.clone();
        command.remove("pwd");
        let bytes = bson::RawDocumentBuf::try_from(&command)
            .expect("a document")
            .into_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(&password), "{command}");
    }
}
