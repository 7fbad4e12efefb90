//! Names that are fragments of statements, and servers with modes of their own. What the server was told is
//! read from its general log.

use std::collections::HashSet;

use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql, Server};

use crate::pair::Pair;
use crate::support::{is_mysql, literal};

/// For users, roles, databases, tables, columns and routines.
const NAMES: [&str; 11] = [
    "' OR '1'='1",
    "x'; DROP USER canary; --",
    "` TO canary@`%",
    "canary' WITH GRANT OPTION",
    "*/ DROP USER canary /*#",
    r"back\slash\",
    r"\'; --",
    "\"double\" ON *.*",
    "per%cent_",
    "a b\tc\nd, ''",
    "näme € 名前",
];

#[tokio::test]
async fn names_stay_names_on_mysql() {
    names_stay_names::<MySql>().await;
}

#[tokio::test]
async fn names_stay_names_on_mariadb() {
    names_stay_names::<MariaDb>().await;
}

async fn names_stay_names<E: Edition>() {
    let builder = Server::<E>::builder().setting("general_log", "ON");
    let mut pair = Pair::start_with(builder).await;
    pair.root("CREATE USER canary; GRANT SELECT ON shop.* TO canary")
        .await;
    let canary = pair.listing("canary").await;
    for name in NAMES {
        surround(&mut pair, name).await;
        let start = pair.server.log().len();
        let rotation = pair.alternating();
        let clone = format!("{name}_clone");
        for version in ["there", "back"] {
            pair.rotates(&rotation, version).await;
            let (one, two) = (pair.listing(name).await, pair.listing(&clone).await);
            assert_eq!(one, two, "{name}");
            assert!(one.len() >= 8, "{one:#?}");
        }
        only_intended(&pair.server.log()[start..], name);
    }
    let clones = "SELECT user FROM mysql.user WHERE user LIKE '%clone'";
    assert_eq!(pair.ask::<String>(clones).await.len(), NAMES.len());
    assert_eq!(pair.listing("canary").await, canary);
    modes_of_the_server_do_not_matter(&mut pair).await;
}

/// A user of this name, and everything around it has such a name, too.
async fn surround<E: Edition>(pair: &mut Pair<E>, name: &str) {
    let odd = format!("`{}`", name.replace('`', "``"));
    let role = literal(&format!("r{name}"));
    let default = if is_mysql::<E>() { "TO" } else { "FOR" };
    for statement in [
        format!("CREATE DATABASE {odd}"),
        format!("CREATE TABLE {odd}.{odd} ({odd} INT)"),
        format!("CREATE PROCEDURE {odd}.{odd}() SELECT 1"),
        format!("CREATE FUNCTION {odd}.{odd}() RETURNS INT DETERMINISTIC RETURN 1"),
        format!("CREATE ROLE {role}"),
        format!("GRANT {role} TO admin WITH ADMIN OPTION"),
    ] {
        pair.root(&statement).await;
    }
    let rights = [
        format!("GRANT SELECT ON {odd}.* TO $"),
        format!("GRANT INSERT ({odd}), DELETE ON {odd}.{odd} TO $ WITH GRANT OPTION"),
        format!("GRANT EXECUTE ON PROCEDURE {odd}.{odd} TO $"),
        format!("GRANT EXECUTE ON FUNCTION {odd}.{odd} TO $"),
        "GRANT PROXY ON $ TO $".to_owned(),
        format!("GRANT {role} TO $"),
        format!("SET DEFAULT ROLE {role} {default} $"),
        "ALTER USER $ WITH MAX_USER_CONNECTIONS 20".to_owned(),
    ];
    let rights: Vec<&str> = rights.iter().map(String::as_str).collect();
    pair.plain(name, &rights).await;
}

async fn modes_of_the_server_do_not_matter<E: Edition>(pair: &mut Pair<E>) {
    pair.root("SET GLOBAL sql_quote_show_create = OFF").await;
    for (nth, modes) in [
        "ANSI_QUOTES,NO_BACKSLASH_ESCAPES",
        "ANSI",
        "PAD_CHAR_TO_FULL_LENGTH",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!(r"o'\x{nth}");
        pair.another(&name).await;
        pair.root(&format!("SET GLOBAL sql_mode = {}", literal(modes)))
            .await;
        let rotation = pair.alternating();
        for version in ["there", "back"] {
            pair.rotates(&rotation, version).await;
            pair.same_rights(&name, &format!("{name}_clone")).await;
        }
    }
}

/// What the rotator says.
fn only_intended(log: &str, name: &str) {
    const INTENDED: [&str; 14] = [
        "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES', SESSION sql_quote_show_create = 1, ",
        "SELECT VERSION() AS version",
        "SELECT CURRENT_USER()",
        "SELECT @@caching_sha2_password_digest_rounds",
        "SELECT 1",
        "SELECT * FROM mysql.user WHERE user = '",
        "SELECT host, plugin FROM mysql.user WHERE user = '",
        "SELECT host, priv FROM mysql.global_priv WHERE user = '",
        "SELECT default_role_user, default_role_host FROM mysql.default_roles WHERE user = '",
        "SHOW GRANTS FOR '",
        "CREATE USER '",
        "ALTER USER '",
        "GRANT ",
        "SET DEFAULT ROLE ",
    ];
    let mut counts = [0; INTENDED.len()];
    for statement in statements(log) {
        let known = INTENDED.iter().position(|it| statement.starts_with(it));
        let known = known.unwrap_or_else(|| panic!("not intended: {statement}\n{log}"));
        counts[known] += 1;
        one_statement(&statement);
    }
    let [.., show, create, alter, grant, default] = counts;
    // The second user is made once, given eight things, and each gets a password.
    assert_eq!((create, alter), (1, 2), "{name}: {log}");
    assert!(
        show > 4 && (6..9).contains(&grant) && default == 1,
        "{counts:?}: {log}"
    );
}

/// Statements over TCP: the tests' own sessions come over the socket.
///
/// A line that begins an entry has the number of the session, and what it is; all others go on with one.
fn statements(log: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    let mut own = HashSet::new();
    let mut now = (0, "Quit");
    for line in log.lines() {
        let entry = line.split('\t').take(3).find_map(|part| {
            let (number, what) = part.trim_start().split_once(' ')?;
            let number: u32 = number.parse().ok()?;
            let known = ["Query", "Connect", "Quit", "Init DB"].contains(&what);
            known.then_some((number, what))
        });
        now = entry.unwrap_or(now);
        match now {
            (session, "Connect") if line.ends_with("using Socket") => {
                own.insert(session);
            }
            (session, "Query") if !own.contains(&session) => {
                if entry.is_some() {
                    let (_, statement) = line.split_once("Query\t").expect("a tab");
                    statements.push(statement.to_owned());
                } else {
                    let last = statements.last_mut().expect("an entry");
                    last.push('\n');
                    last.push_str(line);
                }
            }
            _ => {}
        }
    }
    statements
}

/// Outside of quotes there is no semicolon and no comment. The sessions have no other quoting.
fn one_statement(statement: &str) {
    let mut quote = None;
    let mut last = ' ';
    for character in statement.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if matches!(character, '`' | '\'' | '"') => quote = Some(character),
            None => assert!(
                !matches!(character, ';' | '#')
                    && !matches!((last, character), ('-', '-') | ('/', '*')),
                "two statements: {statement}"
            ),
        }
        last = character;
    }
    assert_eq!(quote, None, "{statement}");
}
