//! What a server's codes mean here. They are those of `PostgreSQL` 8.0, from which Redshift descends.

use secrets_core::rotator::RotatorError;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;

use crate::postgres_wire::Dialect;
use crate::postgres_wire::fault::Refusal;
pub(super) use crate::postgres_wire::{Peer, Role, SessionError};

/// How these servers are spoken of.
pub(super) const DIALECT: Dialect = Dialect {
    name: "Redshift",
    account: "user",
    codes: "the PostgreSQL manual, appendix A",
    enable_tls: "take a cluster or workgroup that does",
    login_methods: "give the user a password that is kept as an MD5 or SHA-256 hash (ALTER USER .. PASSWORD)",
    wrong: "28000",
    says_wrong,
    refused_login,
    asks_for_digests: true,
};

/// Redshift refuses a wrong password as `PostgreSQL` 8.0 does: with the code that also says that a user may
/// not log in from here, and the name of the routine that compares passwords.
fn says_wrong(refusal: &Refusal<'_>) -> bool {
    match *refusal.code {
        SqlState::INVALID_PASSWORD => true,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => refusal.routine == Some("auth_failed"),
        _ => false,
    }
}

fn refused_login(state: &SqlState, peer: &Peer, ssl: SslMode) -> Option<RotatorError> {
    if *state != SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        return None;
    }
    let plaintext = match ssl {
        SslMode::Disable => ": remove `\"ssl\": false`, which `require_ssl` forbids; else",
        _ => ":",
    };
    Some(RotatorError::refused(format!(
        "{peer} lets this user in from here under no condition{plaintext} check the user and the parameter \
         group of the cluster"
    )))
}

/// What it means for the statement that sets a password.
pub(super) fn of_change(fault: SessionError, peer: &Peer) -> RotatorError {
    let state = match fault {
        SessionError::Broken(fault) => return fault,
        SessionError::Refused(state) => state,
    };
    let class = state.code().get(..2).unwrap_or_default();
    let fault = match state {
        SqlState::INSUFFICIENT_PRIVILEGE => match peer.role {
            Role::Own => RotatorError::refused(format!(
                "the user may not change its own password at {peer}; add `masterarn`, the secret of an \
                 admin, to the secret"
            )),
            Role::Admin => RotatorError::refused(format!(
                "{peer} may not change the user's password; let `masterarn` name a superuser, or a user with \
                 the permission ALTER USER"
            )),
        },
        SqlState::UNDEFINED_OBJECT => RotatorError::refused(format!(
            "there is no user `username` at {peer} any more; create it again"
        )),
        SqlState::READ_ONLY_SQL_TRANSACTION => RotatorError::misconfigured(format!(
            "{peer} takes no changes at the moment (read-only); set `host` to the endpoint that does"
        )),
        // Unsupported form (0A), bad value (22, 23), a rule on credentials (28), an error raised (P0).
        _ if ["0A", "22", "23", "28", "P0"].contains(&class) => {
            RotatorError::rejected_by_target(format!(
                "{peer} does not take the new password; set the password hash to md5, or fit the password \
                 rules of the function to those of the cluster"
            ))
        }
        _ => RotatorError::refused(format!(
            "{peer} refuses to change the password; look the code up in {}",
            DIALECT.codes
        )),
    };
    fault.with_code(state.code())
}

#[cfg(test)]
mod tests {
    use secrets_core::rotator::RotatorErrorKind as Kind;

    use super::*;
    use crate::postgres_wire::fault::Fault;

    fn peer(role: Role) -> Peer {
        Peer {
            host: "db".to_owned(),
            port: 5439,
            role,
            dialect: &DIALECT,
        }
    }

    fn at_login(
        code: &str,
        routine: Option<&str>,
        ssl: SslMode,
    ) -> Result<Option<()>, RotatorError> {
        let code = &SqlState::from_code(code);
        Fault::Server(Refusal { code, routine }).at_login(&peer(Role::Own), ssl)
    }

    #[test]
    fn only_the_routine_that_compares_passwords_says_that_one_is_wrong() {
        let tls = SslMode::Require;
        assert_eq!(at_login("28000", Some("auth_failed"), tls), Ok(None));
        assert_eq!(at_login("28P01", None, tls), Ok(None));
        for routine in [None, Some("ClientAuthentication")] {
            let fault = at_login("28000", routine, tls).expect_err("no verdict");
            assert_eq!((fault.kind(), fault.code()), (Kind::Refused, Some("28000")));
            assert!(!fault.to_string().contains("require_ssl"), "{fault}");
        }
        let plain = at_login("28000", None, SslMode::Disable).expect_err("no verdict");
        assert!(plain.to_string().contains("require_ssl"), "{plain}");
    }

    #[test]
    fn other_refusals_of_a_login_are_no_verdict() {
        for (code, kind) in [
            ("3D000", Kind::Misconfigured),
            ("42501", Kind::Refused),
            ("53300", Kind::Unreachable),
            ("57P03", Kind::Unreachable),
            ("XX000", Kind::Unreachable),
            ("P0001", Kind::Refused),
        ] {
            let fault = at_login(code, Some("auth_failed"), SslMode::Require).expect_err(code);
            assert_eq!((fault.kind(), fault.code()), (kind, Some(code)));
        }
    }

    #[test]
    fn a_change_is_refused_for_good_only_by_a_verdict_on_the_value() {
        for (code, role, kind, word) in [
            (
                "22023",
                Role::Own,
                Kind::RejectedByTarget,
                "password hash to md5",
            ),
            ("0A000", Role::Own, Kind::RejectedByTarget, "password rules"),
            ("42501", Role::Own, Kind::Refused, "add `masterarn`"),
            ("42501", Role::Admin, Kind::Refused, "a superuser"),
            ("42704", Role::Own, Kind::Refused, "no user"),
            ("25006", Role::Own, Kind::Misconfigured, "read-only"),
            ("42601", Role::Own, Kind::Refused, "appendix A"),
        ] {
            let refused = SessionError::Refused(SqlState::from_code(code));
            let fault = of_change(refused, &peer(role));
            assert_eq!((fault.kind(), fault.code()), (kind, Some(code)));
            assert!(fault.to_string().contains(word), "{fault}");
        }
    }
}
