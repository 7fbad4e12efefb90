//! Names that are fragments of statements. What the server is told is read from its log.

use rotators::postgres::PairLayout;
use serde_json::json;

use crate::pair::{Pair, quoted};
use crate::support::{on_both_versions, server};

on_both_versions!(names_stay_names);

const NAMES: [&str; 7] = [
    "a\"; DROP TABLE work.canary; --",
    "b' OR ''='",
    "c TO postgres WITH ADMIN OPTION",
    "d\\'; DROP TABLE work.canary; --",
    "%s %I $1 {} \n\t E'",
    "rôle 名前 🦀",
    // With the suffix, 63 bytes.
    "u\"'\\ ;--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

async fn names_stay_names(major: u32) {
    let builder = server(major).setting("log_statement", "all");
    for layout in [PairLayout::Owner, PairLayout::Member] {
        let mut pair = Pair::start(builder.clone(), "plain").await;
        pair.admin("CREATE TABLE work.canary (id int)").await;
        for (nth, name) in NAMES.into_iter().enumerate() {
            pair.another(name).await;
            // Everything around it has such a name, too.
            let odd = quoted(&format!("{name}{nth}"));
            let user = quoted(name);
            let objects = format!(
                "CREATE ROLE {odd}; GRANT {odd} TO {user}; CREATE SCHEMA {odd}; GRANT USAGE ON SCHEMA {odd} TO {user}; \
                 CREATE TABLE {odd}.{odd} ({odd} int); GRANT SELECT ON {odd}.{odd} TO {user}; \
                 ALTER ROLE {user} SET search_path = work, {odd}; ALTER ROLE {user} SET application_name = {}",
                literal(name),
            );
            pair.admin(&objects).await;
            let create = format!("CREATE DATABASE {odd}");
            pair.admin(&create).await;
            pair.admin(&format!(
                "ALTER ROLE {user} IN DATABASE {odd} SET work_mem = '6MB'"
            ))
            .await;
            let before = pair.rights_of(name).await;
            let secret = pair.secret(&json!({"dbname": "postgres"}));
            pair.put_current("odd", &secret);

            let rotation = pair.pair_rotation(layout);
            let start = pair.server.log().len();
            for (version, user) in [("second", pair.clone_name()), ("third", name.to_owned())] {
                let turned = pair.turns_to(&rotation, version, &user).await;
                turned.unwrap_or_else(|fault| panic!("{name:?}: {fault:?}"));
                pair.same_rights(&before).await;
            }
            only_intended(&pair.server.log()[start..]);
        }
        let canary = "SELECT count(*) FROM pg_tables WHERE tablename = 'canary'";
        assert_eq!(pair.ask::<i64>(canary).await, 1);
        let admins = "SELECT count(*) FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid \
                      WHERE rolname = 'postgres'";
        assert_eq!(pair.ask::<i64>(admins).await, 0);
    }
}

fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Each statement of the function begins like one of these; a log line holds one statement message.
fn only_intended(log: &str) {
    const INTENDED: [&str; 10] = [
        "SELECT ",
        "WITH pair AS ",
        "SHOW server_version_num",
        "BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '20s'",
        "CREATE ROLE \"",
        "ALTER ROLE \"",
        "GRANT \"",
        "COMMIT",
        "ROLLBACK",
        "SET ",
    ];
    let mut seen = 0;
    for line in log.lines() {
        let Some((_, statement)) = line.split_once("LOG:  statement: ") else {
            continue;
        };
        // The tests' own statements begin otherwise, or come with parameters.
        let known = INTENDED.iter().any(|start| statement.starts_with(start));
        let own = [
            "INSERT INTO work.shared",
            "INSERT INTO own",
            "CREATE TABLE work.made",
        ];
        let known = known || own.iter().any(|start| statement.starts_with(start));
        assert!(known, "not intended: {statement}");
        seen += usize::from(statement.starts_with("ALTER ROLE \""));
        if statement.starts_with("ALTER ROLE")
            || statement.starts_with("GRANT")
            || statement.starts_with("CREATE ROLE")
        {
            one_statement(statement);
        }
    }
    assert!(seen > 1, "{log}");
}

/// Outside of quotes there is no semicolon and no comment.
fn one_statement(statement: &str) {
    let (mut quote, mut escapes, mut last) = (None, false, ' ');
    let mut characters = statement.chars().peekable();
    while let Some(character) = characters.next() {
        match quote {
            Some(_) if escapes && character == '\\' => {
                characters.next();
            }
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if character == '"' || character == '\'' => {
                escapes = character == '\'' && last == 'E';
                quote = Some(character);
            }
            None => assert!(
                character != ';' && !(character == '-' && last == '-'),
                "two statements: {statement}"
            ),
        }
        last = character;
    }
}
