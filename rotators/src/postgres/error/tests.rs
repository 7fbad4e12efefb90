use secrets_core::rotator::RotatorErrorKind as Kind;

use super::*;
use crate::postgres_wire::fault::{Fault, Refusal};

fn peer(role: Role) -> Peer {
    Peer {
        host: "db".to_owned(),
        port: 5432,
        role,
        dialect: &DIALECT,
    }
}

fn at_login(code: &str) -> Result<Option<()>, RotatorError> {
    let code = &SqlState::from_code(code);
    let routine = Some("auth_failed");
    Fault::Server(Refusal { code, routine }).at_login(&peer(Role::Own), SslMode::Require)
}

fn of_change(code: &str, role: Role, form: PasswordForm) -> RotatorError {
    let refused = SessionError::Refused(SqlState::from_code(code));
    super::of_change(refused, &peer(role), form)
}

#[test]
fn only_one_code_says_that_a_credential_is_wrong() {
    assert_eq!(at_login("28P01"), Ok(None));
    for (code, kind, names) in [
        ("28000", Kind::Refused, "pg_hba.conf"),
        ("3D000", Kind::Misconfigured, "`dbname`"),
        ("42501", Kind::Refused, "CONNECT"),
        ("53300", Kind::Unreachable, "CONNECTION LIMIT"),
        ("53200", Kind::Unreachable, "try again later"),
        ("57P03", Kind::Unreachable, "try again later"),
        ("57P01", Kind::Unreachable, "try again later"),
        ("08006", Kind::Unreachable, "try again later"),
        ("58000", Kind::Unreachable, "try again later"),
        ("40001", Kind::Unreachable, "another change of the role"),
        ("XX000", Kind::Unreachable, "another change of the role"),
        ("P0001", Kind::Refused, "appendix A"),
        ("2", Kind::Refused, "appendix A"),
    ] {
        let fault = at_login(code).expect_err("an error");
        assert_eq!((fault.kind(), fault.code()), (kind, Some(code)));
        assert!(fault.to_string().contains(names), "{fault}");
        assert!(fault.to_string().contains("db:5432"), "{fault}");
    }
}

#[test]
fn a_server_that_wants_tls_is_named_where_the_secret_forgoes_it() {
    let refusal = Refusal {
        code: &SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        routine: None,
    };
    let hint = |ssl| {
        let fault = Fault::Server(refusal).at_login::<()>(&peer(Role::Own), ssl);
        let fault = fault.expect_err("refused").to_string();
        fault.contains("remove `\"ssl\": false`")
    };
    assert!(hint(SslMode::Disable));
    assert!(!hint(SslMode::Require));
}

#[test]
fn a_change_is_refused_for_good_only_by_a_verdict_on_the_value() {
    use PasswordForm::{Plain, Scram};
    for (code, kind, names) in [
        ("22023", Kind::RejectedByTarget, "password rules"),
        ("23514", Kind::RejectedByTarget, "password rules"),
        ("28000", Kind::RejectedByTarget, "password rules"),
        ("0A000", Kind::RejectedByTarget, "password rules"),
        ("P0001", Kind::RejectedByTarget, "password rules"),
        ("42501", Kind::Refused, "add `masterarn`"),
        ("42704", Kind::Refused, "no role"),
        ("25006", Kind::Misconfigured, "writer endpoint"),
        ("0L000", Kind::Refused, "appendix A"),
    ] {
        let fault = of_change(code, Role::Own, Plain);
        assert_eq!((fault.kind(), fault.code()), (kind, Some(code)));
        assert!(fault.to_string().contains(names), "{fault}");
    }
    let scram = of_change("0A000", Role::Own, Scram).to_string();
    assert!(scram.contains("set the password form to plain"), "{scram}");
    let admin = of_change("42501", Role::Admin, Scram).to_string();
    assert!(admin.contains("WITH ADMIN TRUE"), "{admin}");
    assert!(admin.contains("(as the admin of `masterarn`)"), "{admin}");
}
