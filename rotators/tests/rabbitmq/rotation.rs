//! What rotations bring about.

use harness::rabbitmq::RabbitMqServer;
use secrets_core::document::Patch;
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{FIRST, Fixture, SHOP, listing, log_in};

#[tokio::test]
async fn scenarios() {
    let builder = RabbitMqServer::builder().setting("log.console.level = debug");
    let mut fixture = Fixture::of(builder.start().await).await;
    let f = &mut fixture;
    the_second_user_gets_all_that_the_first_has(f).await;
    what_the_second_user_has_too_much_of_is_taken_away(f).await;
    a_half_made_clone_is_not_published(f).await;
    users_that_the_secret_names_take_turns(f).await;
    open_connections_stay_open(f).await;
    one_user_keeps_its_rights(f).await;
    plaintext_is_for_those_who_ask_for_it(f).await;
    nothing_secret_is_logged(f).await;
}

async fn the_second_user_gets_all_that_the_first_has(f: &mut Fixture) {
    let rotation = f.alternating();
    let rights = listing(&f.server, "app").await.expect("the user");
    // Tags and limits, one virtual host, two exchanges.
    assert_eq!(rights.len(), 5, "{rights:?}");
    for (version, user) in [("2", "app_clone"), ("3", "app"), ("4", "app_clone")] {
        f.rotates(&rotation, version).await;
        assert_eq!(f.current_user().await, user);
        f.same_rights("app", "app_clone").await;
        assert_eq!(listing(&f.server, user).await.as_ref(), Some(&rights));
    }
    // The user is the measure, whatever changes.
    f.server.delete(&["permissions", SHOP, "app_clone"]).await;
    f.server
        .delete(&["user-limits", "app_clone", "max-connections"])
        .await;
    f.rotates(&rotation, "5").await;
    f.same_rights("app", "app_clone").await;
    let rights = listing(&f.server, "app").await.expect("the user");
    assert_eq!(rights.len(), 4, "{rights:?}");
}

async fn what_the_second_user_has_too_much_of_is_taken_away(f: &mut Fixture) {
    f.another("much").await;
    let rotation = f.alternating();
    f.rotates(&rotation, "2").await;
    let before = listing(&f.server, "much_clone").await;
    let everything = json!({"configure": ".*", "read": ".*", "write": ".*"});
    for vhost in ["/", SHOP] {
        f.server
            .put(&["permissions", vhost, "much"], &everything)
            .await;
        let topic = json!({"exchange": "extra", "write": "", "read": ""});
        f.server
            .put(&["topic-permissions", vhost, "much"], &topic)
            .await;
    }
    let limit = ["user-limits", "much", "max-channels"];
    f.server.put(&limit, &json!({"value": 7})).await;
    let tags = json!({"password": FIRST, "tags": "administrator"});
    f.server.put(&["users", "much"], &tags).await;
    f.rotates(&rotation, "3").await;
    assert_eq!(f.current_user().await, "much");
    assert_eq!(listing(&f.server, "much_clone").await, before);
    f.same_rights("much", "much_clone").await;
}

/// With the password that the secret holds, and no rights: as a function would leave it that sets the
/// password first.
async fn a_half_made_clone_is_not_published(f: &mut Fixture) {
    f.another("half").await;
    let rotation = f.alternating();
    let password = "sentinel-half-made";
    let patch = Patch::key("username", "half_clone".into()).and("password", password.into());
    f.put_pending("2", &patch).await;
    let clone = json!({"password": password, "tags": ""});
    f.server.put(&["users", "half_clone"], &clone).await;
    assert_eq!(log_in(&f.server, "half_clone", password).await, Ok(()));
    assert!(f.send(&rotation, Step::Test, "2").await.is_err());
    assert!(f.send(&rotation, Step::Finish, "2").await.is_err());
    assert_eq!(f.send(&rotation, Step::Set, "2").await, Ok(Outcome::Set));
    f.same_rights("half", "half_clone").await;
    // A tag alone is a difference, too.
    let tags = json!({"password": password, "tags": "administrator"});
    f.server.put(&["users", "half_clone"], &tags).await;
    assert!(f.send(&rotation, Step::Finish, "2").await.is_err());
    assert_eq!(f.send(&rotation, Step::Set, "2").await, Ok(Outcome::Set));
    f.same_rights("half", "half_clone").await;
    assert_eq!(
        f.send(&rotation, Step::Set, "2").await,
        Ok(Outcome::AlreadySet)
    );
    f.send(&rotation, Step::Test, "2").await.expect("the test");
    f.send(&rotation, Step::Finish, "2").await.expect("the end");
    assert_eq!(f.logs_in(&Label::Current).await, Ok(()));
}

async fn users_that_the_secret_names_take_turns(f: &mut Fixture) {
    f.plain("blue").await;
    f.another("green").await;
    f.put_current("named", &json!({"usernames": ["blue", "green"]}));
    let rotation = f.alternating();
    for (version, user) in [("2", "blue"), ("3", "green")] {
        f.rotates(&rotation, version).await;
        assert_eq!(f.current_user().await, user);
        f.same_rights("blue", "green").await;
    }
}

async fn open_connections_stay_open(f: &mut Fixture) {
    f.another("open").await;
    let rotation = f.alternating();
    let session = f.server.log_in("open", FIRST, SHOP).await;
    let mut session = session.expect("a login");
    for version in ["2", "3"] {
        f.rotates(&rotation, version).await;
    }
    assert_eq!(log_in(&f.server, "open", FIRST).await, Err(403));
    assert!(
        session.is_served().await,
        "the password of this session is gone"
    );
}

async fn one_user_keeps_its_rights(f: &mut Fixture) {
    f.another("single").await;
    let rights = listing(&f.server, "single").await;
    let rotation = f.single();
    for version in ["2", "3"] {
        let rotated = f.rotate(&rotation, version).await.expect("a rotation");
        assert_eq!(rotated[3], Outcome::Promoted);
        assert_eq!(f.logs_in(&Label::Current).await, Ok(()));
        assert_eq!(f.logs_in(&Label::Previous).await, Err(403));
    }
    assert_eq!(listing(&f.server, "single").await, rights);
    assert_eq!(f.current_user().await, "single");
}

async fn plaintext_is_for_those_who_ask_for_it(f: &mut Fixture) {
    f.another("plain").await;
    let ports = json!({
        "ssl": false, "port": f.server.amqp_port(), "management_port": f.server.http_port(),
    });
    f.put_current("ports", &ports);
    f.rotates(&f.alternating(), "2").await;
}

async fn nothing_secret_is_logged(f: &mut Fixture) {
    let log = f.server.log();
    assert!(
        log.contains("[debug]") && log.contains("Created user 'app_clone'"),
        "{log}"
    );
    f.hides_passwords(&log).await;
}
