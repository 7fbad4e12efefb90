//! Names that are made to be mistaken for statements, and servers with modes of their own.

use harness::mysql::{Edition, Server};
use rotators::mysql::OldPassword;
use secrets_core::store::Label;
use serde_json::json;

use crate::pair::{OMNIPOTENT, Pair, with_objects};
use crate::support::{account, is_mysql, literal, on_both};

on_both![
    names_are_nothing_but_names,
    modes_of_the_server_do_not_matter
];

/// For users and databases.
const NAMES: [&str; 9] = [
    "' OR '1'='1",
    "'; DROP USER x; -- ",
    "a` TO b",
    r"back\slash\",
    r"\'",
    "\"double\"",
    "perc%ent_",
    "a b\tc",
    "näme€",
];

fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

async fn names_are_nothing_but_names<E: Edition>() {
    let fixture = with_objects(Server::<E>::builder().setting("general_log", "ON")).await;
    fixture.add_admin(OMNIPOTENT.get::<E>()).await;
    let mut pair = Pair(fixture);
    for (number, name) in NAMES.into_iter().enumerate() {
        let database = ident(name);
        pair.0.add_user(name, &["%"]).await;
        let user = account(name, "%");
        let role = ident(&format!("r{name}"));
        for statement in [
            format!("CREATE DATABASE {database}"),
            format!("CREATE TABLE {database}.{database} ({database} INT)"),
            format!("CREATE ROLE {role}"),
            format!("GRANT SELECT ON {database}.* TO {user}"),
            format!("GRANT INSERT ({database}), DELETE ON {database}.{database} TO {user}"),
            format!("GRANT {role} TO {user}"),
        ] {
            pair.root(&statement).await;
        }
        if is_mysql::<E>() {
            pair.root(&format!(
                "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO {user}"
            ))
            .await;
        } else {
            pair.root(&format!("GRANT {role} TO admin WITH ADMIN OPTION"))
                .await;
        }
        pair.put_current(
            &format!("admin-{number}"),
            &json!({"masterarn": "arn:admin"}),
        );
        let rotation = pair.single(OldPassword::default());
        pair.rotates(&rotation, &format!("single-{number}")).await;
        assert_eq!(pair.label_logs_in(&Label::Previous).await, Ok(()));
        let rotation = pair.alternating();
        for version in ["there", "back"] {
            pair.rotates(&rotation, &format!("{version}-{number}"))
                .await;
            let (one, two) = (
                pair.listing(name).await,
                pair.listing(&format!("{name}_clone")).await,
            );
            assert_eq!(one, two, "{name}");
            assert!(one.len() >= 5, "{one:?}");
        }
    }
    let users: Vec<String> = pair
        .ask("SELECT user FROM mysql.user WHERE user LIKE '%clone'")
        .await;
    assert_eq!(users.len(), NAMES.len(), "{users:?}");
    let log = pair.server.log();
    assert!(!log.contains("\tQuery\tDROP USER"), "{log}");
}

async fn modes_of_the_server_do_not_matter<E: Edition>() {
    for modes in [
        "ANSI_QUOTES,NO_BACKSLASH_ESCAPES",
        "ANSI",
        "PAD_CHAR_TO_FULL_LENGTH",
        "",
    ] {
        let builder = Server::<E>::builder();
        let mut pair = Pair(with_objects(builder).await);
        pair.0.add_admin(OMNIPOTENT.get::<E>()).await;
        pair.another(r"o'\x").await;
        pair.root(&format!("SET GLOBAL sql_mode = {}", literal(modes)))
            .await;
        pair.root("SET GLOBAL sql_quote_show_create = OFF").await;
        let single = pair.single(OldPassword::default());
        pair.rotates(&single, "single").await;
        let alternating = pair.alternating();
        for version in ["there", "back"] {
            pair.rotates(&alternating, version).await;
            pair.same_rights(r"o'\x", r"o'\x_clone").await;
        }
    }
}
