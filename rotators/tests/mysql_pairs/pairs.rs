//! What the second user gets, and what is taken from it.

use harness::mysql::Edition;
use rotators::mysql::PairSettings;
use secrets_core::document::Patch;
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::store::Label;
use serde_json::json;

use crate::pair::{Pair, RIGHTS_OF_A_SHOPPER, on_both};
use crate::support::{Either, FIRST, account, is_mysql};

on_both![scenarios:
    the_second_user_gets_all_that_the_first_has,
    what_the_second_user_has_too_much_of_is_taken_away,
    a_half_made_clone_is_not_published,
    rights_that_change_between_two_rotations_are_followed,
    views_and_routines_keep_their_definer,
    two_functions_at_once_do_no_harm,
    users_that_the_secret_names_take_turns,
    users_that_are_there_already_take_turns,
    a_password_that_was_the_second_of_a_user_ends,
];

async fn the_second_user_gets_all_that_the_first_has<E: Edition>(pair: &mut Pair<E>) {
    pair.another("o'x").await;
    let rotation = pair.alternating();
    for (version, user) in [
        ("second", "o'x_clone"),
        ("third", "o'x"),
        ("fourth", "o'x_clone"),
    ] {
        pair.rotates(&rotation, version).await;
        assert_eq!(pair.current_user().await, user);
        pair.same_rights("o'x", "o'x_clone").await;
        pair.current_works().await;
        assert_eq!(pair.label_logs_in(&Label::Previous).await, Ok(()));
    }
}

async fn what_the_second_user_has_too_much_of_is_taken_away<E: Edition>(pair: &mut Pair<E>) {
    pair.another("too'much").await;
    let rotation = pair.alternating();
    pair.rotates(&rotation, "second").await;
    for host in ["%", "localhost"] {
        let user = account("too'much", host);
        let mut statements = vec![
            "GRANT ALL PRIVILEGES ON shop.* TO $ WITH GRANT OPTION",
            "GRANT SELECT, DELETE ON mysql.* TO $",
            "GRANT SUPER, FILE, SELECT ON *.* TO $ WITH GRANT OPTION",
            "GRANT INSERT (b), REFERENCES ON shop.goods TO $",
            "GRANT reader TO $ WITH ADMIN OPTION",
            "GRANT PROXY ON root@localhost TO $",
            "REVOKE ALL PRIVILEGES ON `odd``db`.`t TO x` FROM $",
            "REVOKE writer FROM $",
            "ALTER USER $ REQUIRE SSL WITH MAX_USER_CONNECTIONS 0 PASSWORD EXPIRE NEVER",
        ];
        if is_mysql::<E>() {
            statements.extend([
                "GRANT ALL PRIVILEGES ON *.* TO $ WITH GRANT OPTION",
                "GRANT BACKUP_ADMIN, CONNECTION_ADMIN ON *.* TO $ WITH GRANT OPTION",
                "REVOKE INSERT ON shop.* FROM $",
                "ALTER USER $ FAILED_LOGIN_ATTEMPTS 0 PASSWORD HISTORY DEFAULT",
                "SET DEFAULT ROLE NONE TO $",
            ]);
        }
        for statement in statements {
            pair.root(&statement.replace('$', &user)).await;
        }
    }
    let before = pair.listing("too'much_clone").await;
    pair.rotates(&rotation, "third").await;
    assert_eq!(pair.current_user().await, "too'much");
    assert_eq!(
        pair.listing("too'much_clone").await,
        before,
        "the user in use is the measure"
    );
    pair.same_rights("too'much", "too'much_clone").await;
    pair.current_works().await;
}

/// Those that the rights of a pair in these tests set.
const SOME_DEFAULT_ROLES: Either = Either {
    mysql: &["SET DEFAULT ROLE reader, writer TO $"],
    mariadb: &["SET DEFAULT ROLE reader FOR $"],
};

/// As AWS's functions leave it behind: the clone logs in, and may do nothing.
async fn a_half_made_clone_is_not_published<E: Edition>(pair: &mut Pair<E>) {
    pair.another("half").await;
    let rotation = pair.alternating();
    let password = "sentinel-half-made";
    let patch = Patch::key("username", "half_clone".into()).and("password", password.into());
    pair.put_pending("second", &patch).await;
    let create = format!("CREATE USER half_clone IDENTIFIED BY '{password}'");
    pair.root(&create).await;
    assert!(pair.send(&rotation, Step::Test, "second").await.is_err());
    assert!(pair.send(&rotation, Step::Finish, "second").await.is_err());
    assert_eq!(
        pair.send(&rotation, Step::Set, "second").await,
        Ok(Outcome::Set)
    );
    pair.same_rights("half", "half_clone").await;
    let user = account("half_clone", "%");
    for (spoil, mend) in [
        (
            "REVOKE UPDATE (a) ON shop.goods FROM $",
            "GRANT UPDATE (a) ON shop.goods TO $",
        ),
        (
            "GRANT EVENT ON shop.* TO $",
            "REVOKE EVENT ON shop.* FROM $",
        ),
        ("REVOKE reader FROM $", "GRANT reader TO $"),
        (
            "ALTER USER $ WITH MAX_USER_CONNECTIONS 9",
            "ALTER USER $ WITH MAX_USER_CONNECTIONS 20",
        ),
        ("ALTER USER $ REQUIRE SSL", "ALTER USER $ REQUIRE NONE"),
        (
            "SET DEFAULT ROLE NONE ? $",
            SOME_DEFAULT_ROLES.get::<E>()[0],
        ),
    ] {
        let word = if is_mysql::<E>() { "TO" } else { "FOR" };
        pair.root(&spoil.replace('$', &user).replace('?', word))
            .await;
        for step in [Step::Test, Step::Finish] {
            let sent = pair.send(&rotation, step, "second").await;
            assert!(sent.is_err(), "{spoil}: {sent:?}");
        }
        let mended = [mend, SOME_DEFAULT_ROLES.get::<E>()[0]];
        pair.root(&mended.join("; ").replace('$', &user)).await;
    }
    for step in [Step::Test, Step::Finish] {
        pair.send(&rotation, step, "second")
            .await
            .expect("a whole clone");
    }
    pair.current_works().await;
}

async fn rights_that_change_between_two_rotations_are_followed<E: Edition>(pair: &mut Pair<E>) {
    pair.another("follows").await;
    let rotation = pair.alternating();
    pair.rotates(&rotation, "second").await;
    for host in ["%", "localhost"] {
        let user = account("follows_clone", host);
        pair.root(&format!("GRANT CREATE VIEW ON shop.* TO {user}"))
            .await;
        pair.root(&format!("REVOKE INSERT ON shop.* FROM {user}"))
            .await;
        pair.root(&format!("GRANT INSERT ON shop.goods TO {user}"))
            .await;
    }
    pair.rotates(&rotation, "third").await;
    pair.same_rights("follows", "follows_clone").await;
    pair.current_works().await;
}

async fn views_and_routines_keep_their_definer<E: Edition>(pair: &mut Pair<E>) {
    pair.plain(
        "author",
        &[
            "GRANT SELECT ON shop.goods TO $",
            "CREATE DEFINER = $ VIEW shop.seen AS SELECT a FROM shop.goods",
            "CREATE DEFINER = $ FUNCTION shop.counted() RETURNS INT READS SQL DATA \
             RETURN (SELECT COUNT(*) FROM shop.goods)",
            "CREATE DEFINER = $ TRIGGER shop.sees BEFORE INSERT ON shop.goods FOR EACH ROW SET @seen = 1",
            "GRANT SELECT ON shop.seen TO $",
            "GRANT EXECUTE ON FUNCTION shop.counted TO $",
            "GRANT TRIGGER ON shop.goods TO $",
        ],
    )
    .await;
    let definers = "SELECT definer FROM information_schema.views WHERE table_name = 'seen' UNION ALL \
                    SELECT definer FROM information_schema.routines WHERE routine_name = 'counted' UNION ALL \
                    SELECT definer FROM information_schema.triggers WHERE trigger_name = 'sees'";
    let rotation = pair.alternating();
    for version in ["second", "third", "fourth"] {
        pair.rotates(&rotation, version).await;
        assert_eq!(pair.ask::<String>(definers).await, ["author@%"; 3]);
        let session = pair.current_session().await;
        let asked = ["SELECT a FROM shop.seen", "SELECT shop.counted()"];
        pair.runs(session, &asked).await;
    }
    pair.root("DROP TRIGGER shop.sees").await;
}

/// Each makes the user, gives it rights and sets the password, while the other does.
async fn two_functions_at_once_do_no_harm<E: Edition>(pair: &mut Pair<E>) {
    let mut collisions = 0;
    for n in 0..4 {
        let user = format!("shared{n}");
        pair.plain(&user, RIGHTS_OF_A_SHOPPER.get::<E>()).await;
        let rotation = pair.alternating();
        let begun = pair.store.begin_rotation(&pair.secret, &"second".into());
        begun.expect("no other rotation");
        let created = pair.send(&rotation, Step::Create, "second").await;
        created.expect("a value");
        let set = || pair.send(&rotation, Step::Set, "second");
        let (one, two) = tokio::join!(set(), set());
        collisions += usize::from(one.is_err()) + usize::from(two.is_err());
        pair.shopper_works().await;
        pair.rotates(&rotation, "second").await;
        let clone = format!("{user}_clone");
        assert_eq!(pair.listing(&user).await, pair.listing(&clone).await);
        pair.shopper_works().await;
    }
    println!("{collisions} of 8 were told to try again");
}

/// They are neither made nor named by a suffix.
async fn users_that_the_secret_names_take_turns<E: Edition>(pair: &mut Pair<E>) {
    pair.plain("green", &["GRANT SELECT ON shop.* TO $"]).await;
    pair.plain("blue", &["GRANT INSERT ON shop.* TO $"]).await;
    let named = json!({"masterarn": "arn:admin", "usernames": ["green", "blue"]});
    pair.put_current("named", &named);
    let rotation = pair.alternating();
    for (version, user) in [("second", "green"), ("third", "blue"), ("fourth", "green")] {
        pair.rotates(&rotation, version).await;
        assert_eq!(pair.current_user().await, user);
        assert_eq!(pair.listing("green").await, pair.listing("blue").await);
    }
    let made =
        "SELECT user FROM mysql.user WHERE user LIKE 'blue%' OR user LIKE 'green%' ORDER BY user";
    assert_eq!(pair.ask::<String>(made).await, ["blue", "green"]);
}

/// With a suffix of their own; and an admin who may give nothing is enough.
async fn users_that_are_there_already_take_turns<E: Edition>(pair: &mut Pair<E>) {
    let rights = [
        "GRANT SELECT ON shop.* TO $",
        "GRANT reader TO $",
        "GRANT EXECUTE ON FUNCTION shop.f TO $",
    ];
    pair.plain("twin 'b'", &rights).await;
    pair.plain("twin", &rights).await;
    let grants = [
        "GRANT CREATE USER ON *.* TO admin",
        "GRANT SELECT ON mysql.* TO admin",
    ];
    pair.another_admin("adjuster", &grants).await;
    pair.put_current("adjusted", &json!({"masterarn": "arn:adjuster"}));
    let suffix = PairSettings::with_suffix(" 'b'").expect("a suffix");
    let rotation = pair.alternating_as(suffix);
    for (version, user) in [("second", "twin 'b'"), ("third", "twin")] {
        pair.rotates(&rotation, version).await;
        assert_eq!(pair.current_user().await, user);
    }
}

/// `MySQL` may hold a second one of a user that was rotated alone before; of `MariaDB` all are replaced.
async fn a_password_that_was_the_second_of_a_user_ends<E: Edition>(pair: &mut Pair<E>) {
    pair.plain("turns", &[]).await;
    let second = if is_mysql::<E>() {
        "ALTER USER turns IDENTIFIED BY 'sentinel-2' RETAIN CURRENT PASSWORD".to_owned()
    } else {
        format!(
            "ALTER USER turns IDENTIFIED VIA mysql_native_password USING PASSWORD('sentinel-2') OR \
             mysql_native_password USING PASSWORD({})",
            crate::support::literal(FIRST)
        )
    };
    pair.root(&second).await;
    let first = json!({"masterarn": "arn:admin", "password": "sentinel-2"});
    pair.put_current("second-password", &first);
    let rotation = pair.alternating();
    pair.rotates(&rotation, "second").await;
    assert_eq!(pair.log_in("turns", FIRST).await, Ok(()));
    pair.rotates(&rotation, "third").await;
    for old in [FIRST, "sentinel-2"] {
        assert_eq!(pair.log_in("turns", old).await, Err(1045));
    }
}
