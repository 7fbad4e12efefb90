//! New pairs, in both layouts.

use rotators::postgres::{PairLayout, PairSettings};
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::pair::Pair;
use crate::support::{FIRST, on_both_versions, server};

on_both_versions!(
    a_pair_with_an_owner_role,
    a_pair_as_awss_function_makes_it,
    what_either_user_makes_belongs_to_both,
    attributes_that_no_membership_passes_on,
    another_suffix,
    an_expiry_date_is_passed_on,
    names_are_too_long_before_anything_is_made,
);

async fn two_turns(major: u32, layout: PairLayout) -> Pair {
    let pair = Pair::start(server(major), "app").await;
    let before = pair.rights_of("app").await;
    let rotation = pair.pair_rotation(layout);
    for (version, user) in [
        ("second", "app_clone"),
        ("third", "app"),
        ("fourth", "app_clone"),
        ("fifth", "app"),
    ] {
        let turned = pair.turns_to(&rotation, version, user).await;
        turned.unwrap_or_else(|fault| panic!("{version}: {fault:?}"));
        pair.same_rights(&before).await;
    }
    pair.refuses("app", FIRST, "28P01").await;
    pair
}

async fn acts_as(pair: &Pair, label: &Label) -> String {
    let session = pair.session(label).await;
    let row = session.query_one("SELECT current_user::text", &[]).await;
    row.expect("an answer").get(0)
}

async fn a_pair_with_an_owner_role(major: u32) {
    let pair = two_turns(major, PairLayout::Owner).await;
    for label in [Label::Current, Label::Previous] {
        assert_eq!(acts_as(&pair, &label).await, "app_owner");
    }
    let owner =
        "SELECT NOT rolcanlogin AND rolpassword IS NULL FROM pg_authid WHERE rolname = 'app_owner'";
    assert!(pair.ask::<bool>(owner).await);
    // Nothing hangs on either user, so that an administrator can drop it.
    let own = "SELECT count(*) FROM pg_shdepend JOIN pg_authid r ON r.oid = refobjid \
               WHERE deptype IN ('o', 'a', 'r') AND rolname IN ('app', 'app_clone')";
    assert_eq!(pair.ask::<i64>(own).await, 0);
}

async fn a_pair_as_awss_function_makes_it(major: u32) {
    let pair = two_turns(major, PairLayout::Member).await;
    for label in [Label::Current, Label::Previous] {
        assert_eq!(acts_as(&pair, &label).await, "app");
    }
    assert!(
        pair.ask::<bool>("SELECT pg_has_role('app_clone', 'app', 'USAGE')")
            .await
    );
}

async fn what_either_user_makes_belongs_to_both(major: u32) {
    for layout in [PairLayout::Owner, PairLayout::Member] {
        let pair = Pair::start(server(major), "app").await;
        let rotation = pair.pair_rotation(layout);
        for n in 2..6 {
            let version = format!("{n}");
            pair.rotate(&rotation, &version).await.expect("a rotation");
            let session = pair.session(&Label::Current).await;
            // A pool that cleans its sessions must not fall out of the role.
            let make = format!("DISCARD ALL; CREATE TABLE work.made_{n} AS SELECT 1 AS one");
            session.batch_execute("DISCARD ALL").await.expect("clean");
            let make = make.replace("DISCARD ALL; ", "");
            session.batch_execute(&make).await.expect("a table");
            for label in [Label::Current, Label::Previous] {
                let session = pair.session(&label).await;
                for made in 2..=n {
                    let alter = format!("ALTER TABLE work.made_{made} ADD c{n}_{label} int");
                    session.batch_execute(&alter).await.expect(&alter);
                }
            }
        }
    }
}

async fn attributes_that_no_membership_passes_on(major: u32) {
    for layout in [PairLayout::Owner, PairLayout::Member] {
        let pair = Pair::start(server(major), "app").await;
        pair.admin("ALTER ROLE manager SUPERUSER").await;
        let rotation = pair.pair_rotation(layout);
        pair.admin("ALTER ROLE app CREATEDB CREATEROLE REPLICATION BYPASSRLS")
            .await;
        let before = pair.rights_of("app").await;
        pair.turns_to(&rotation, "second", "app_clone")
            .await
            .expect("a rotation");
        pair.same_rights(&before).await;
        // What is taken from the user in use is taken from the other one, and what is given is given.
        pair.admin("ALTER ROLE app_clone NOCREATEDB NOREPLICATION CONNECTION LIMIT 9")
            .await;
        pair.admin("ALTER ROLE app_clone SET work_mem = '9MB'")
            .await;
        pair.admin("ALTER ROLE app_clone RESET lock_timeout").await;
        pair.admin("ALTER ROLE app SET lock_timeout = '9s'").await;
        let before = pair.rights_of("app_clone").await;
        pair.turns_to(&rotation, "third", "app")
            .await
            .expect("a rotation");
        pair.same_rights(&before).await;
        let after = pair.rights_of("app").await;
        assert!(
            after.is_subset(&before),
            "{:#?}",
            after.difference(&before).collect::<Vec<_>>()
        );
    }
}

async fn another_suffix(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    let settings = PairSettings::with_suffix(" 'b\"").expect("a suffix");
    let rotation = pair.pair_rotation_with(settings);
    for (version, user) in [("second", "app 'b\""), ("third", "app")] {
        pair.turns_to(&rotation, version, user)
            .await
            .expect(version);
    }
}

async fn an_expiry_date_is_passed_on(major: u32) {
    for layout in [PairLayout::Owner, PairLayout::Member] {
        let pair = Pair::start(server(major), "app").await;
        let soon =
            "DO $$ BEGIN EXECUTE format('ALTER ROLE app VALID UNTIL %L', now() + '5 days'); END $$";
        pair.admin(soon).await;
        let rotation = pair.pair_rotation(layout);
        let days = |user: &str| {
            format!(
                "SELECT round(extract(epoch FROM rolvaliduntil - now()) / 86400)::int FROM pg_roles \
                     WHERE rolname = '{user}'"
            )
        };
        pair.turns_to(&rotation, "second", "app_clone")
            .await
            .expect("a rotation");
        assert_eq!(pair.ask::<i32>(&days("app_clone")).await, 90);
        assert_eq!(
            pair.ask::<i32>(&days("app")).await,
            5,
            "its password is the old one"
        );
        pair.turns_to(&rotation, "third", "app")
            .await
            .expect("a rotation");
        assert_eq!(pair.ask::<i32>(&days("app")).await, 90);
    }
}

async fn names_are_too_long_before_anything_is_made(major: u32) {
    let user = "u".repeat(58);
    let pair = Pair::start(server(major), &user).await;
    let rotation = pair.pair_rotation(PairLayout::Owner);
    let roles = "SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles";
    let before: String = pair.ask(roles).await;
    let fault = (Kind::Misconfigured, None);
    pair.fails(&rotation, "second", fault, "63 bytes").await;
    assert_eq!(pair.ask::<String>(roles).await, before);
    // Nothing was stored either: another suffix is all it takes. With that, the owner role is too long.
    let short = PairSettings::with_suffix("_b").expect("a suffix");
    let rotation = pair.pair_rotation_with(short.clone());
    pair.fails(&rotation, "second", fault, "owner role").await;
    assert_eq!(pair.ask::<String>(roles).await, before);
    let mut member = short;
    member.layout = PairLayout::Member;
    let rotation = pair.pair_rotation_with(member);
    let second = format!("{user}_b");
    pair.turns_to(&rotation, "second", &second)
        .await
        .expect("a rotation");
    let document = pair.secret(&json!({}));
    assert!(document.keys().any(|key| key == "kept"));
}
