use super::*;

const USER: &str = "a\"b";

fn both(object: &Object, words: &[&'static str]) -> [String; 4] {
    [
        Change::Grant,
        Change::GrantWithOption,
        Change::RevokeOption,
        Change::Revoke,
    ]
    .map(|change| {
        let sql = object.change(change, words, USER);
        let texts: Vec<_> = sql.iter().map(Sql::expose).collect();
        texts.join("; ")
    })
}

fn owned(text: &str) -> String {
    text.to_owned()
}

#[test]
fn rights_are_given_and_taken() {
    for (object, words, target) in [
        (
            Object::Database(Scope::Itself, owned("D")),
            "CREATE",
            r#"ON DATABASE "D""#,
        ),
        (
            Object::Database(Scope::Schemas, owned("d")),
            "USAGE",
            r#"FOR SCHEMAS IN DATABASE "d""#,
        ),
        (
            Object::Schema(Scope::Itself, owned("s")),
            "USAGE",
            r#"ON SCHEMA "s""#,
        ),
        (
            Object::Schema(Scope::Tables, owned("s")),
            "SELECT",
            r#"FOR TABLES IN SCHEMA "s""#,
        ),
        (
            Object::Table(owned("s"), owned("t; DROP")),
            "SELECT",
            r#"ON TABLE "s"."t; DROP""#,
        ),
        (
            Object::Language(owned("plpythonu")),
            "USAGE",
            r#"ON LANGUAGE "plpythonu""#,
        ),
        (
            Object::Model(owned("s"), owned("m")),
            "EXECUTE",
            r#"ON MODEL "s"."m""#,
        ),
        (
            Object::Datashare(owned("d")),
            "ALTER",
            r#"ON DATASHARE "d""#,
        ),
    ] {
        assert_eq!(
            both(&object, &[words]),
            [
                format!(r#"GRANT {words} {target} TO "a""b""#),
                format!(r#"GRANT {words} {target} TO "a""b" WITH GRANT OPTION"#),
                format!(r#"REVOKE GRANT OPTION FOR {words} {target} FROM "a""b""#),
                format!(r#"REVOKE {words} {target} FROM "a""b""#),
            ]
        );
    }
}

#[test]
fn words_go_together_where_the_syntax_allows() {
    let table = Object::Table(owned("s"), owned("t"));
    assert_eq!(
        both(&table, &["SELECT", "DROP"])[0],
        r#"GRANT SELECT, DROP ON TABLE "s"."t" TO "a""b""#
    );
    let column = Object::Column([owned("s"), owned("t"), owned("c)")]);
    assert_eq!(
        both(&column, &["SELECT", "UPDATE"])[3],
        r#"REVOKE SELECT ("c)"), UPDATE ("c)") ON TABLE "s"."t" FROM "a""b""#
    );
    assert_eq!(
        both(&Object::System, &["EXPLAIN RLS", "IGNORE RLS"])[0],
        r#"GRANT EXPLAIN RLS TO "a""b"; GRANT IGNORE RLS TO "a""b""#
    );
}

#[test]
fn roles_and_groups_have_statements_of_their_own() {
    assert_eq!(
        both(&Object::Role(owned("r\"")), &[""]),
        [
            r#"GRANT ROLE "r""" TO "a""b""#,
            r#"GRANT ROLE "r""" TO "a""b" WITH ADMIN OPTION"#,
            r#"REVOKE ADMIN OPTION FOR ROLE "r""" FROM "a""b""#,
            r#"REVOKE ROLE "r""" FROM "a""b""#,
        ]
    );
    let group = both(&Object::Group(owned("g")), &[""]);
    assert_eq!(group[0], r#"ALTER GROUP "g" ADD USER "a""b""#);
    assert_eq!(group[3], r#"ALTER GROUP "g" DROP USER "a""b""#);
}

#[test]
fn iam_roles_are_granted_for_commands() {
    let role = Object::IamRole(owned("arn:aws:iam::1:role/it's"));
    assert_eq!(
        both(&role, &["COPY", "UNLOAD"])[0],
        r#"GRANT ASSUMEROLE ON 'arn:aws:iam::1:role/it''s' TO "a""b" FOR COPY, UNLOAD"#
    );
    let default = Object::IamRole(owned(DEFAULT_IAM_ROLE));
    assert_eq!(
        both(&default, &["COPY"])[3],
        r#"REVOKE ASSUMEROLE ON default FROM "a""b" FOR COPY"#
    );
}

#[test]
fn default_privileges_name_who_creates_and_who_gets() {
    let by_other = Object::CreatedBy {
        owner: owned("o"),
        schema: Some(owned("s")),
        what: Scope::Tables,
    };
    assert_eq!(
        both(&by_other, &["SELECT"])[1],
        r#"ALTER DEFAULT PRIVILEGES FOR USER "o" IN SCHEMA "s" GRANT SELECT ON TABLES TO "a""b" WITH GRANT OPTION"#
    );
    for (who, grantee) in [
        (Grantee::User(owned("g")), r#""g""#),
        (Grantee::Group(owned("g")), r#"GROUP "g""#),
        (Grantee::Role(owned("g")), r#"ROLE "g""#),
        (Grantee::Public, "PUBLIC"),
    ] {
        let own = Object::Created {
            grantee: who,
            schema: None,
            what: Scope::Procedures,
        };
        assert_eq!(
            both(&own, &["EXECUTE"])[3],
            format!(
                r#"ALTER DEFAULT PRIVILEGES FOR USER "a""b" REVOKE EXECUTE ON PROCEDURES FROM {grantee}"#
            )
        );
    }
}

#[test]
fn arguments_are_names_of_types_and_nothing_else() {
    for good in [
        "",
        "integer, character varying",
        "\"char\", timestamp without time zone",
    ] {
        let routine = Routine::new("s", "f", good, true).expect(good);
        assert_eq!(
            both(&Object::Routine(routine), &["EXECUTE"])[0],
            format!(r#"GRANT EXECUTE ON PROCEDURE "s"."f"({good}) TO "a""b""#)
        );
    }
    for bad in ["integer) TO PUBLIC; --", "\"odd\"", "x'", "a\\"] {
        assert!(Routine::new("s", "f", bad, false).is_none(), "{bad}");
    }
}
