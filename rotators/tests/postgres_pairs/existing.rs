//! Pairs that are there already: AWS's, and those that an administrator has made.

use rotators::postgres::PairLayout;
use secrets_core::document::Patch;
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::store::{Label, SecretReader, SecretStore, Version};
use secrets_core::testing::Driver;
use serde_json::json;

use crate::pair::{Pair, works};
use crate::support::{FIRST, on_both_versions, server};

on_both_versions!(
    a_pair_of_awss_is_kept_as_it_is,
    a_rotation_that_awss_function_began_is_finished,
    a_clone_that_lacks_rights_is_not_promoted_before_it_has_them,
    users_that_the_secret_names,
    an_owner_role_that_an_administrator_made,
    a_current_password_that_somebody_changed,
    two_functions_given_the_same_event,
);

/// What AWS's function does in setSecret when there is no clone, with this password.
async fn made_by_aws(pair: &Pair, password: &str) {
    pair.admin(&format!(
        "CREATE ROLE app_clone WITH LOGIN PASSWORD '{password}'"
    ))
    .await;
    pair.admin("GRANT app TO app_clone").await;
    pair.grant_admin("app_clone").await;
}

/// Stores a pending version, as createSecret of AWS's function does.
async fn pending(pair: &Pair, version: &str, user: &str, password: &str) {
    let version = version.into();
    pair.store
        .begin_rotation(&pair.secret, &version)
        .expect("no other rotation");
    let current = pair
        .store
        .get(&pair.secret, &Version::CURRENT)
        .await
        .expect("a value");
    let patch = Patch::key("username", user.into()).and("password", password.into());
    let value = current.document.patched(&patch).expect("short enough");
    let put = pair.store.put_pending(&pair.secret, &version, &value, None);
    put.await.expect("an empty version");
}

async fn a_pair_of_awss_is_kept_as_it_is(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    let before = pair.rights_of("app").await;
    made_by_aws(&pair, "sentinel-aws").await;
    // AWS's function knows no settings.
    let rotation = pair.pair_rotation(PairLayout::Owner);
    for (version, user) in [
        ("second", "app_clone"),
        ("third", "app"),
        ("fourth", "app_clone"),
    ] {
        pair.turns_to(&rotation, version, user)
            .await
            .expect(version);
        pair.same_rights(&before).await;
    }
    let owner = "SELECT count(*) FROM pg_roles WHERE rolname = 'app_owner'";
    assert_eq!(pair.ask::<i64>(owner).await, 0);
}

/// Cut off after each of its effects: value stored, clone made, password set.
async fn a_rotation_that_awss_function_began_is_finished(major: u32) {
    for cut in 0..3 {
        let pair = Pair::start(server(major), "app").await;
        let before = pair.rights_of("app").await;
        let rotation = pair.pair_rotation(PairLayout::Member);
        pending(&pair, "second", "app_clone", "sentinel-aws").await;
        if cut > 0 {
            made_by_aws(
                &pair,
                if cut == 1 {
                    "sentinel-other"
                } else {
                    "sentinel-aws"
                },
            )
            .await;
        }
        let rotated = pair.rotate(&rotation, "second").await.expect("a rotation");
        assert_eq!(rotated[0], Outcome::Kept);
        // A clone without the settings of the first is not what was promised: its password is set again.
        assert_eq!(rotated[1], Outcome::Set);
        assert_eq!(
            pair.login(&Label::Current).await,
            ("app_clone".to_owned(), "sentinel-aws".to_owned())
        );
        pair.same_rights(&before).await;
        pair.both_work().await;
        assert_eq!(
            pair.login(&Label::Previous).await,
            ("app".to_owned(), FIRST.to_owned())
        );
    }
}

async fn a_clone_that_lacks_rights_is_not_promoted_before_it_has_them(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    let before = pair.rights_of("app").await;
    let rotation = pair.pair_rotation(PairLayout::Member);
    pending(&pair, "second", "app_clone", "sentinel-aws").await;
    made_by_aws(&pair, "sentinel-aws").await;
    for step in [Step::Test, Step::Finish] {
        let driver = Driver::new(&pair.store, &rotation, &pair.secret);
        let refused = driver
            .send(step, &"second".into())
            .await
            .expect_err("settings are missing");
        assert_eq!(refused.code(), "PendingRefused");
    }
    assert_eq!(pair.login(&Label::Current).await.0, "app");
    pair.turns_to(&rotation, "second", "app_clone")
        .await
        .expect("a rotation");
    pair.same_rights(&before).await;
}

async fn users_that_the_secret_names(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    // Both act as one role, which has all there is.
    pair.admin(
        "ALTER ROLE app NOLOGIN; CREATE ROLE \"blue\" LOGIN PASSWORD 'x'; CREATE ROLE \"green\"",
    )
    .await;
    for user in ["blue", "green"] {
        pair.admin(&format!(
            "GRANT app TO {user}; ALTER ROLE {user} SET role = app"
        ))
        .await;
        pair.grant_admin(user).await;
    }
    settings_for(&pair, "blue").await;
    if major >= 16 {
        pair.admin("GRANT app TO manager WITH ADMIN TRUE").await;
    }
    pair.admin(&format!("ALTER ROLE blue PASSWORD '{FIRST}'"))
        .await;
    let named = json!({"username": "blue", "usernames": ["green", "blue"]});
    pair.put_current("named", &pair.secret(&named));
    let rotation = pair.pair_rotation(PairLayout::Owner);
    for (version, user) in [("second", "green"), ("third", "blue"), ("fourth", "green")] {
        pair.turns_to(&rotation, version, user)
            .await
            .expect(version);
    }
    let made = "SELECT count(*) FROM pg_roles WHERE rolname ~ '^(blue|green|app)_'";
    assert_eq!(pair.ask::<i64>(made).await, 0);
}

/// The second user is made, and nothing is renamed.
async fn an_owner_role_that_an_administrator_made(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    pair.admin("ALTER ROLE app RENAME TO crew; ALTER ROLE crew NOLOGIN")
        .await;
    pair.admin(&format!(
        "CREATE ROLE app LOGIN CONNECTION LIMIT 20 PASSWORD '{FIRST}'"
    ))
    .await;
    pair.admin("GRANT crew TO app; ALTER ROLE app SET role = crew")
        .await;
    settings_for(&pair, "app").await;
    pair.grant_admin("app").await;
    let before = pair.rights_of("app").await;
    let rotation = pair.pair_rotation(PairLayout::Owner);
    for (version, user) in [("second", "app_clone"), ("third", "app")] {
        pair.turns_to(&rotation, version, user)
            .await
            .expect(version);
        pair.same_rights(&before).await;
    }
    let roles = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE oid > 16383";
    let roles: String = pair.ask(roles).await;
    assert_eq!(roles, "app app_clone crew manager readers");
}

/// The settings that the application relies on.
async fn settings_for(pair: &Pair, user: &str) {
    for setting in [
        "statement_timeout = '17s'",
        "work_mem = '5MB'",
        "search_path = work",
        "my_app.mode = 'a, \"b\" \\ c''s'",
    ] {
        pair.admin(&format!("ALTER ROLE {user} SET {setting}"))
            .await;
    }
}

/// The version before it still works, and is the login that shows whose pair it is.
async fn a_current_password_that_somebody_changed(major: u32) {
    for layout in [PairLayout::Owner, PairLayout::Member] {
        let pair = Pair::start(server(major), "app").await;
        let before = pair.rights_of("app").await;
        let rotation = pair.pair_rotation(layout);
        for (version, user) in [("second", "app_clone"), ("third", "app")] {
            let turned = pair.turns_to(&rotation, version, user).await;
            turned.expect(version);
        }
        pair.admin("ALTER ROLE app PASSWORD 'sentinel-by-hand'")
            .await;
        let rotated = pair.rotate(&rotation, "fourth").await;
        rotated.expect("the previous version logs in");
        assert_eq!(pair.login(&Label::Current).await.0, "app_clone");
        works(&pair.session(&Label::Current).await)
            .await
            .expect("its work");
        pair.same_rights(&before).await;
    }
}

async fn two_functions_given_the_same_event(major: u32) {
    for layout in [PairLayout::Owner, PairLayout::Member] {
        let pair = Pair::start(server(major), "app").await;
        let before = pair.rights_of("app").await;
        let rotation = pair.pair_rotation(layout);
        let version = "second".into();
        let driver = Driver::new(&pair.store, &rotation, &pair.secret);
        driver.begin(&version).expect("no other rotation");
        driver.send(Step::Create, &version).await.expect("a value");
        let (one, two) = tokio::join!(
            driver.send(Step::Set, &version),
            driver.send(Step::Set, &version)
        );
        assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
        let turned = pair.turns_to(&rotation, "second", "app_clone").await;
        turned.expect("the same event, once more");
        pair.same_rights(&before).await;
    }
}
