//! Rotations that are cut off at each message to the server, before it is seen and after it was answered.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::proxy::{Fault, TcpAction, TcpProxy};
use rotators::postgres::PairLayout;
use secrets_core::event::{Step, VersionId};
use secrets_core::rotator::RotatorErrorKind;
use secrets_core::store::Label;
use secrets_core::testing::Driver;
use serde_json::json;
use tokio::time::Instant;

use crate::pair::{Pair, works};
use crate::support::{on_both_versions, server};

on_both_versions!(a_transaction_that_nobody_ends_is_ended_by_the_server);

#[tokio::test]
async fn an_owner_role_is_made_at_once_or_not_at_all_where_answers_are_lost() {
    every_cut_heals(15, PairLayout::Owner, Fault::After).await;
}

#[tokio::test]
async fn an_owner_role_is_made_at_once_or_not_at_all_where_messages_are_lost() {
    every_cut_heals(18, PairLayout::Owner, Fault::Before).await;
}

#[tokio::test]
async fn a_member_is_made_at_once_or_not_at_all() {
    every_cut_heals(18, PairLayout::Member, Fault::After).await;
}

/// A new pair for each message of setSecret, in which the second user is made.
///
/// To the server, an answer that is lost is a next message that never comes: each layout needs one of both.
async fn every_cut_heals(major: u32, layout: PairLayout, when: fn(TcpAction) -> Fault<TcpAction>) {
    let mut pair = Pair::start(server(major), "u0").await;
    let proxy = TcpProxy::start(pair.server.host(), pair.server.port()).await;
    let mut cuts = 0;
    for chunk in 1.. {
        pair.another(&format!("u{chunk}")).await;
        pair.put_current("proxied", &pair.secret(&json!({"port": proxy.port()})));
        let fault = when(TcpAction::Drop);
        if !cut_and_healed(&pair, &proxy, layout, (chunk, fault)).await {
            // Fewer would mean that the second user was not made in between.
            assert!(chunk > 40, "only {chunk} messages");
            break;
        }
        cuts += 1;
    }
    println!("{layout:?} on PostgreSQL {major}: {cuts} cuts");
}

/// Whether the connection was cut.
async fn cut_and_healed(
    pair: &Pair,
    proxy: &TcpProxy,
    layout: PairLayout,
    (chunk, fault): (usize, Fault<TcpAction>),
) -> bool {
    let rotation = pair.pair_rotation(layout);
    let before = pair.rights_of(&pair.user).await;
    let version = VersionId::from("second");
    let driver = Driver::new(&pair.store, &rotation, &pair.secret);
    driver.begin(&version).expect("no other rotation");
    driver.send(Step::Create, &version).await.expect("a value");
    proxy.reset();
    proxy.fault_at(chunk, fault);
    let cut = driver.send(Step::Set, &version).await;
    let struck = proxy.chunks() >= chunk;
    proxy.clear_faults();
    // The last messages end sessions whose work is done.
    assert!(struck || cut.is_ok(), "{cut:?}");
    nothing_is_half_done(pair, &before).await;

    let healed = pair.turns_to(&rotation, "second", &pair.clone_name()).await;
    healed.unwrap_or_else(|fault| panic!("after a cut at message {chunk}: {fault:?}"));
    pair.same_rights(&before).await;
    struck
}

/// The user in use works; the other one is not there, or may do the same.
async fn nothing_is_half_done(pair: &Pair, before: &BTreeSet<String>) {
    let session = pair.session(&Label::Current).await;
    works(&session).await.expect("the user in use");
    let there = "SELECT count(*) FROM pg_roles WHERE rolname = '{}' OR rolname = '{}_owner'";
    let there = there
        .replacen("{}", &pair.clone_name(), 1)
        .replace("{}", &pair.user);
    match pair.ask::<i64>(&there).await {
        0 => assert_eq!(&pair.rights_of(&pair.user).await, before),
        _ => pair.same_rights(before).await,
    }
}

/// A host that disappears in the middle: its transaction holds locks on the roles until the server gives it up.
async fn a_transaction_that_nobody_ends_is_ended_by_the_server(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    let proxy = TcpProxy::start(pair.server.host(), pair.server.port()).await;
    pair.put_current("proxied", &pair.secret(&json!({"port": proxy.port()})));
    let mut settings = pair.settings();
    settings.timeouts.statement = Duration::from_millis(1500);
    let rotator = rotators::postgres::AlternatingUsers::new(
        pair.store.clone(),
        settings,
        rotators::postgres::PairSettings::default(),
    );
    let rotation = secrets_core::rotation::Rotation::new(pair.store.clone(), rotator);
    let open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    let version = VersionId::from("second");
    let driver = Driver::new(&pair.store, &rotation, &pair.secret);
    driver.begin(&version).expect("no other rotation");
    driver.send(Step::Create, &version).await.expect("a value");
    proxy.reset();
    proxy.fault_at(50, Fault::Before(TcpAction::Hang));
    driver
        .send(Step::Set, &version)
        .await
        .expect_err("no answer");
    assert_eq!(
        pair.ask::<i64>(open).await,
        1,
        "in the middle of the transaction"
    );
    proxy.clear_faults();

    let mut tries = 0;
    let deadline = Instant::now() + Duration::from_mins(1);
    while let Err(fault) = driver.send(Step::Set, &version).await {
        let source = std::error::Error::source(&fault).and_then(|cause| cause.downcast_ref());
        let cause: &secrets_core::rotator::RotatorError = source.expect("of the rotator");
        assert_eq!(cause.kind(), RotatorErrorKind::Unreachable, "{fault:?}");
        assert!(Instant::now() < deadline, "{fault:?}");
        tries += 1;
    }
    assert!(tries > 0, "the locks were in the way");
    pair.turns_to(&rotation, "second", "app_clone")
        .await
        .expect("the rest");
}
