use proptest::prelude::*;

use super::*;

fn own() -> Account {
    Account::new("b", "localhost")
}

fn read(lines: &[&str]) -> Result<Rights, NotUnderstood> {
    Rights::read(&own(), lines.iter().copied())
}

/// One a line: object, grade, name, column.
fn shown(rights: &Rights) -> Vec<String> {
    let object = |object: &Object| match object {
        Object::Everything => "*".to_owned(),
        Object::Database(name) => format!("{name}.*"),
        Object::Part {
            kind,
            database,
            name,
        } => format!("{kind}:{database}.{name}"),
        Object::Proxy(account) => account.to_string(),
    };
    let privileges = rights.privileges.iter().map(|it| {
        let column = it.column.as_deref().unwrap_or("-");
        format!("{} {:?} {} {column}", object(&it.object), it.grade, it.name)
    });
    let roles = rights
        .roles
        .iter()
        .map(|(role, admin)| format!("role {role} {admin}"));
    let default = rights
        .default_roles
        .iter()
        .map(|role| format!("default {role}"));
    privileges.chain(roles).chain(default).collect()
}

/// What a `MySQL` 9.7 showed.
#[test]
fn all_that_mysql_shows_is_read() {
    let rights = read(&[
        "GRANT SELECT, RELOAD, PROCESS ON *.* TO `b`@`localhost` WITH GRANT OPTION",
        "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO `b`@`localhost`",
        "GRANT BACKUP_ADMIN,XA_RECOVER_ADMIN ON *.* TO `b`@`localhost` WITH GRANT OPTION",
        "GRANT ALL PRIVILEGES ON `d`.* TO `b`@`localhost`",
        r"GRANT SELECT ON `d\_x%`.* TO `b`@`localhost`",
        "REVOKE SELECT ON `mysql`.* FROM `b`@`localhost`",
        "GRANT SELECT (`a`, `b,c)`), INSERT (`a`), DELETE ON `d``b`.`t TO x` TO `b`@`localhost` WITH GRANT OPTION",
        "GRANT EXECUTE ON PROCEDURE `d`.`p` TO `b`@`localhost`",
        "GRANT EXECUTE, ALTER ROUTINE ON FUNCTION `d`.`f` TO `b`@`localhost` WITH GRANT OPTION",
        "GRANT PROXY ON `r1`@`%` TO `b`@`localhost` WITH GRANT OPTION",
        "GRANT `r 2`@`h`,`r1`@`%` TO `b`@`localhost`",
        "GRANT `r3`@`%` TO `b`@`localhost` WITH ADMIN OPTION",
    ]);
    assert_eq!(
        shown(&rights.expect("all lines")),
        [
            "* Plain APPLICATION_PASSWORD_ADMIN -",
            "* Plain GRANT OPTION -",
            "* Plain PROCESS -",
            "* Plain RELOAD -",
            "* Plain SELECT -",
            "* Grantable BACKUP_ADMIN -",
            "* Grantable XA_RECOVER_ADMIN -",
            "d.* Plain ALL PRIVILEGES -",
            r"d\_x%.* Plain SELECT -",
            "mysql.* TakenBack SELECT -",
            ":d`b.t TO x Plain DELETE -",
            ":d`b.t TO x Plain GRANT OPTION -",
            ":d`b.t TO x Plain INSERT a",
            ":d`b.t TO x Plain SELECT a",
            ":d`b.t TO x Plain SELECT b,c)",
            "FUNCTION:d.f Plain ALTER ROUTINE -",
            "FUNCTION:d.f Plain EXECUTE -",
            "FUNCTION:d.f Plain GRANT OPTION -",
            "PROCEDURE:d.p Plain EXECUTE -",
            "'r1'@'%' Grantable PROXY -",
            "role 'r 2'@'h' false",
            "role 'r1'@'%' false",
            "role 'r3'@'%' true",
        ]
    );
}

/// What a `MariaDB` 10.11 showed.
#[test]
fn all_that_mariadb_shows_is_read() {
    let rights = read(&[
        "GRANT `r1` TO `b`@`localhost`",
        "GRANT `r 2` TO `b`@`localhost` WITH ADMIN OPTION",
        "GRANT SELECT, RELOAD ON *.* TO `b`@`localhost` IDENTIFIED VIA mysql_native_password USING \
         '*BFD4' OR mysql_native_password USING '*9F75' REQUIRE SUBJECT '/CN=a''b\\\\' WITH GRANT OPTION \
         MAX_USER_CONNECTIONS 3",
        "GRANT PROXY ON ''@'%' TO 'b'@'localhost'",
        "GRANT USAGE ON *.* TO `r1`",
        "GRANT INSERT ON `other`.* TO `r1`",
        "GRANT DELETE ON `d`.* TO PUBLIC",
        "SET DEFAULT ROLE `r1` FOR `b`@`localhost`",
    ]);
    assert_eq!(
        shown(&rights.expect("all lines")),
        [
            "* Plain GRANT OPTION -",
            "* Plain RELOAD -",
            "* Plain SELECT -",
            "''@'%' Plain PROXY -",
            "role `r 2` true",
            "role `r1` false",
            "default `r1`",
        ]
    );
    let bare = read(&[
        "GRANT USAGE ON *.* TO `b`@`localhost` IDENTIFIED BY PASSWORD '*GRANT OPTION WITH' REQUIRE SSL",
    ]);
    assert_eq!(bare, Ok(Rights::default()));
}

#[test]
fn a_line_of_another_kind_is_a_fault() {
    for line in [
        "",
        "GRANT",
        "DROP TABLE x",
        "GRANT SELECT ON *.* TO `b`@`localhost` AND MORE",
        "GRANT SELECT ON `d`.* TO",
        "GRANT SELECT ON d.* TO `b`@`localhost`",
        "GRANT SELECT (a) ON `d`.`t` TO `b`@`localhost`",
        "GRANT SELECT; ON `d`.* TO `b`@`localhost`",
        "GRANT `r` TO `b`@`localhost` WITH GRANT OPTION",
        "GRANT SELECT ON `d`.* TO `b`@`localhost",
        "REVOKE SELECT ON `d`.`t` FROM `b`@`localhost`",
        "SET ROLE `r1` FOR `b`@`localhost`",
    ] {
        assert_eq!(read(&[line]), Err(NotUnderstood), "{line}");
    }
}

proptest! {
    /// Names are nothing but names, whatever is in them.
    #[test]
    fn names_come_back(
        database in ".{1,64}",
        table in "([`'@ .,()]|TO|WITH GRANT OPTION|[a-zé€]){1,20}",
        column in ".{1,64}",
        user in ".{0,32}",
    ) {
        let quote = |name: &str| format!("`{}`", name.replace('`', "``"));
        let account = Account::new(&user, "%");
        let line = format!(
            "GRANT SELECT ({}), DELETE ON {}.{} TO {}@`%`",
            quote(&column), quote(&database), quote(&table), quote(&user),
        );
        let rights = Rights::read(&account, [line.as_str()]).expect("a line");
        let object = Object::Part { kind: String::new(), database, name: table };
        let privilege = |name: &str, column: Option<String>| Privilege {
            object: object.clone(), grade: Grade::Plain, name: name.into(), column,
        };
        prop_assert_eq!(
            rights.privileges,
            [privilege("SELECT", Some(column)), privilege("DELETE", None)].into(),
        );
    }

    /// Nothing that is shown makes it panic.
    #[test]
    fn any_text_is_read_or_refused(line in "(GRANT|REVOKE|SET|TO|ON|[`'@*.,()]| |[a-z]){0,30}") {
        let _ = Rights::read(&own(), [line.as_str()]);
    }
}
