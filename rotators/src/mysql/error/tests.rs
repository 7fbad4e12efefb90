use std::io;

use secrets_core::rotator::RotatorErrorKind as Kind;

use super::*;

fn peer() -> Peer {
    Peer {
        host: "db".into(),
        port: 3306,
        role: Role::Own,
    }
}

fn server(code: u16) -> Error {
    Error::Server(ServerError {
        code,
        message: "sentinel".into(),
        state: "HY000".into(),
    })
}

#[test]
fn only_access_denied_says_that_a_password_is_wrong() {
    assert_eq!(at_login(&server(1045), &peer()), Ok(()));
    for (code, kind, word) in [
        (3118, Kind::Refused, "ACCOUNT UNLOCK"),
        (3955, Kind::Refused, "ACCOUNT UNLOCK"),
        (4150, Kind::Refused, "FLUSH PRIVILEGES"),
        (4151, Kind::Refused, "ACCOUNT UNLOCK"),
        (1862, Kind::Refused, "expired"),
        (1820, Kind::Refused, "expired"),
        (1040, Kind::Unreachable, "max_connections"),
        (1203, Kind::Unreachable, "max_connections"),
        (1226, Kind::Unreachable, "max_connections"),
        (1053, Kind::Unreachable, "try again later"),
        (1044, Kind::Refused, "`dbname`"),
        (1049, Kind::Misconfigured, "`dbname`"),
        (1130, Kind::Refused, "address"),
        (1698, Kind::Refused, "caching_sha2_password"),
        (3159, Kind::Tls, "`\"ssl\": false`"),
        (9999, Kind::Refused, "manual"),
    ] {
        let fault = at_login(&server(code), &peer()).expect_err("an error");
        assert_eq!(
            (fault.kind(), fault.code()),
            (kind, Some(code.to_string().as_str())),
            "{fault}"
        );
        assert!(fault.to_string().contains(word), "{fault}");
        assert!(
            !format!("{fault} {fault:?}").contains("sentinel"),
            "{fault}"
        );
    }
}

#[test]
fn connections_that_fail_are_told_apart() {
    let io = |kind| Error::Io(IoError::Io(io::Error::new(kind, "sentinel")));
    let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    for (fault, kind, word) in [
        (
            io(io::ErrorKind::ConnectionRefused),
            Kind::Unreachable,
            "no way to db:3306",
        ),
        (
            io(io::ErrorKind::UnexpectedEof),
            Kind::Unreachable,
            "closed the connection",
        ),
        (
            io(io::ErrorKind::InvalidData),
            Kind::Misconfigured,
            "protocol of MySQL",
        ),
        (
            Error::Io(IoError::Io(io::Error::other(tls.clone()))),
            Kind::Tls,
            "`ca_certificate`",
        ),
        (
            Error::Io(IoError::Tls(TlsError::Tls(tls))),
            Kind::Tls,
            "`ca_certificate`",
        ),
        (
            Error::Driver(DriverError::NoClientSslFlagFromServer),
            Kind::Tls,
            "offers no TLS",
        ),
        (
            Error::Driver(DriverError::CleartextPluginDisabled),
            Kind::Refused,
            "password",
        ),
        (
            Error::Driver(DriverError::UnexpectedPacket {
                payload: b"sentinel".to_vec(),
            }),
            Kind::Misconfigured,
            "protocol of MySQL",
        ),
    ] {
        let fault = at_login(&fault, &peer()).expect_err("an error");
        assert_eq!(fault.kind(), kind, "{fault}");
        assert!(fault.to_string().contains(word), "{fault}");
        assert!(
            !format!("{fault} {fault:?}").contains("sentinel"),
            "{fault}"
        );
    }
}

#[test]
fn a_statement_without_an_answer_may_have_had_its_effect() {
    let lost = Error::Io(IoError::Io(io::ErrorKind::ConnectionReset.into()));
    for fault in [lost, server(1205), server(1213)] {
        assert!(matches!(
            SessionError::new(&fault, &peer()),
            SessionError::Broken(_)
        ));
    }
    for code in [1227, 1396, 3638] {
        assert!(matches!(
            SessionError::new(&server(code), &peer()),
            SessionError::Refused(it) if it == code
        ));
    }
    let replica = SessionError::Refused(1290).of_statement(&peer());
    assert_eq!(
        (replica.kind(), replica.code()),
        (Kind::Misconfigured, Some("1290"))
    );
    assert!(replica.to_string().contains("primary"));
}

#[test]
fn passwords_that_a_server_never_takes() {
    for code in [1819, 3638, 1827, 1372] {
        let fault = rejected(code, &peer()).expect("a refusal");
        assert_eq!(fault.kind(), Kind::RejectedByTarget);
    }
    assert!(rejected(1227, &peer()).is_none());
}
