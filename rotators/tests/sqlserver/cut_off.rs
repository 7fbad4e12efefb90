//! Rotations that are cut off at each statement, after it was carried out; and servers that fall silent in between.

use std::time::Duration;

use harness::proxy::Fault;
use harness::sqlserver::Action;
use rotators::sqlserver::{AlternatingUsers, PairSettings};
use secrets_core::event::Step;
use secrets_core::rotation::Rotation;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::Fixture;

/// Cut after a statement is what the server takes for a cut before the next one.
#[tokio::test]
async fn every_cut_after_a_statement_heals() {
    every_cut_heals(&Fault::After(Action::Drop)).await;
}

/// A new server for each statement of setSecret, in which the second user is made.
async fn every_cut_heals(fault: &Fault<Action>) {
    let mut half_made = 0;
    for n in 1.. {
        let fixture = Fixture::start().await;
        let rotation = fixture.alternating();
        let begun = fixture
            .store
            .begin_rotation(&fixture.secret.into(), &"second".into());
        begun.expect("no other rotation");
        let created = fixture.send(&rotation, Step::Create, "second").await;
        created.expect("a value");
        let server = &fixture.server;
        server.forget_statements();
        server.fault_at(n, fault.clone());
        let cut = fixture.send(&rotation, Step::Set, "second").await;
        let rights = server.rights("app_clone");
        if !rights.is_empty() && rights != server.rights("app") {
            half_made += 1;
            assert!(!fixture.works(&Label::Pending).await, "statement {n}");
        }
        if cut.is_ok() {
            let count = server.statements().len();
            println!("{count} statements, {half_made} half-made users");
            assert!(n > 60 && half_made > 30, "{n} {half_made}");
            return;
        }
        assert!(fixture.works(&Label::Current).await);
        for step in [Step::Set, Step::Test, Step::Finish] {
            fixture.send(&rotation, step, "second").await.expect("done");
        }
        assert_eq!(
            server.rights("app_clone"),
            server.rights("app"),
            "statement {n}"
        );
        assert!(fixture.works(&Label::Current).await);
        fixture.is_understood();
    }
}

/// Also a server that says nothing to a statement, or to a login.
#[tokio::test]
async fn silence_ends_with_the_deadline_of_a_statement() {
    let fixture = Fixture::start().await;
    let mut settings = fixture.settings();
    settings.timeouts.statement = Duration::from_millis(200);
    let store = fixture.store.clone();
    let rotator = AlternatingUsers::new(store.clone(), settings, PairSettings::default());
    let rotation = Rotation::new(store, rotator);
    fixture.server.fault_at(3, Fault::Before(Action::Hang));
    let kind = (Kind::Unreachable, None);
    fixture
        .fails(&rotation, "second", kind, "did not answer in time")
        .await;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut settings = fixture.settings();
    settings.timeouts.login = Duration::from_millis(200);
    fixture.put_current("silent", &json!({"port": port, "masterarn": null}));
    let rotator = rotators::sqlserver::SingleUser::new(fixture.store.clone(), settings);
    let rotation = Rotation::new(fixture.store.clone(), rotator);
    fixture
        .fails(&rotation, "third", kind, "did not answer in time")
        .await;
}
