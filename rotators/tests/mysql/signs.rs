//! Names and passwords of every sign.

use harness::mysql::Edition;
use rotators::mysql::OldPassword;
use secrets_core::document::Patch;
use secrets_core::rotation::Outcome;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{ADMIN_OF_ONE, FIRST, Fixture, account, is_mysql, literal};

/// In statements of the user itself and of an admin, and one that holds statements.
pub(crate) async fn a_password_may_hold_every_printable_character<E: Edition>(
    fixture: &mut Fixture<E>,
) {
    let printable: String = (' '..='~').collect();
    let passwords = [
        printable.clone(),
        printable.chars().rev().collect(),
        "\\' OR 1; DROP USER app; -- \"`%_é€\u{1f511}".to_owned(),
    ];
    for admin in [false, true] {
        if admin {
            fixture.with_admin().await;
            let first = literal(FIRST);
            fixture
                .root(&format!("ALTER USER app IDENTIFIED BY {first}"))
                .await;
        }
        let rotation = fixture.single(OldPassword::KeptIfPossible);
        for (number, password) in passwords.iter().enumerate() {
            let version = format!("{admin}-{number}");
            let patch = Patch::key("password", password.clone().into());
            fixture.put_pending(&version, &patch).await;
            let rotated = fixture.rotate(&rotation, &version).await;
            assert_eq!(rotated.map(|all| all[3]), Ok(Outcome::Promoted));
            assert_eq!(fixture.log_in("app", password).await, Ok(()), "{password}");
        }
    }
}

/// Names that are made to be mistaken for statements, and as long as they may be, under modes of the server that
/// give other signs a meaning.
pub(crate) async fn names_and_modes_do_not_matter<E: Edition>(fixture: &mut Fixture<E>) {
    let longest = "é'".repeat(if is_mysql::<E>() { 16 } else { 64 });
    let names = [
        "' OR '1'='1",
        "'; DROP USER x; --",
        "a` TO b",
        r"back\slash\",
        r"\'",
        "\"double\"",
        "perc%ent_",
        "a TO b\tc",
        &longest,
    ];
    let modes = [
        "ANSI_QUOTES,NO_BACKSLASH_ESCAPES",
        "",
        "PAD_CHAR_TO_FULL_LENGTH",
    ];
    fixture.add_admin(ADMIN_OF_ONE.get::<E>()).await;
    fixture.add_user("x", &["%"]).await;
    for (number, name) in names.into_iter().enumerate() {
        let mode = literal(modes[number % modes.len()]);
        fixture.root(&format!("SET GLOBAL sql_mode = {mode}")).await;
        fixture.add_user(name, &["%", "10.1.%"]).await;
        if is_mysql::<E>() {
            let user = account(name, "%");
            fixture
                .root(&format!(
                    "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO {user}"
                ))
                .await;
        }
        let by_itself = fixture.single(OldPassword::KeptIfPossible);
        fixture.rotates(&by_itself, "by-itself").await;
        fixture.put_current("admin", &json!({"masterarn": "arn:admin"}));
        for host in ["%", "10.1.%"] {
            let first = format!("IDENTIFIED BY {}", literal(FIRST));
            fixture
                .root(&format!("ALTER USER {} {first}", account(name, host)))
                .await;
        }
        let by_admin = fixture.single(OldPassword::default());
        fixture.rotates(&by_admin, "by-an-admin").await;
        assert_eq!(fixture.label_logs_in(&Label::Previous).await, Ok(()));
    }
    fixture.root("SET GLOBAL sql_mode = DEFAULT").await;
    assert_eq!(
        fixture.log_in("x", FIRST).await,
        Ok(()),
        "nobody else was changed"
    );
}
