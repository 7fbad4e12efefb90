use super::*;

fn statement(options: &Options, before: Option<&Options>) -> String {
    options.append(Sql::new(""), before).expose().to_owned()
}

/// As `MariaDB` 10.11 stores them.
#[test]
fn what_mariadb_stores_becomes_a_statement() {
    let stored = r#"{"access":0,"plugin":"mysql_native_password","ssl_type":3,"ssl_cipher":"c",
        "x509_issuer":"","x509_subject":"/CN='s\\","max_questions":7,"max_user_connections":3,
        "max_statement_time":1.500000,"account_locked":true,"password_lifetime":90}"#;
    let options = Options::of_privileges(stored);
    assert_eq!(
        statement(&options, None),
        " REQUIRE  CIPHER 'c' SUBJECT '/CN=''s\\' WITH MAX_QUERIES_PER_HOUR 7 MAX_UPDATES_PER_HOUR 0 \
         MAX_CONNECTIONS_PER_HOUR 0 MAX_USER_CONNECTIONS 3 MAX_STATEMENT_TIME 1.5 PASSWORD EXPIRE \
         INTERVAL 90 DAY ACCOUNT LOCK"
    );
    // Nothing, and what is left when all has been taken back.
    let nothing = Options::of_privileges(r#"{"access":0}"#);
    let zeros = r#"{"ssl_type":0,"ssl_cipher":"","max_questions":0,"max_statement_time":0.000000,
        "account_locked":false,"password_lifetime":-1}"#;
    assert_eq!(nothing, Options::of_privileges(zeros));
    assert_ne!(nothing, options);
    assert!(statement(&nothing, Some(&options)).starts_with(" REQUIRE NONE WITH MAX_QUERIES"));
}

#[test]
fn the_rules_of_mysql_become_a_statement() {
    let rules = Options {
        require: Require::Tls,
        lifetime: Some(0),
        reuse: Some(Reuse {
            history: Some(4),
            days: Some(3),
            current: Some(false),
        }),
        locking: Some((3, -1)),
        ..Options::default()
    };
    assert_eq!(
        statement(&rules, None),
        " REQUIRE SSL PASSWORD EXPIRE NEVER ACCOUNT UNLOCK PASSWORD HISTORY 4 PASSWORD REUSE INTERVAL 3 \
         DAY PASSWORD REQUIRE CURRENT OPTIONAL FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME UNBOUNDED"
    );
    let none = Options {
        reuse: Some(Reuse {
            history: None,
            days: None,
            current: None,
        }),
        ..Options::default()
    };
    assert_eq!(
        statement(&none, Some(&rules)),
        " REQUIRE NONE PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT PASSWORD REUSE \
         INTERVAL DEFAULT PASSWORD REQUIRE CURRENT DEFAULT FAILED_LOGIN_ATTEMPTS 0 PASSWORD_LOCK_TIME 0"
    );
    assert!(!statement(&none, None).contains("FAILED"));
}
