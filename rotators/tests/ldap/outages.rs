//! Servers that do not answer, answer something else, or break off: none of it is a wrong password.

use harness::ldap::LdapServer;
use harness::proxy::{Fault, TcpAction, TcpMode, TcpProxy};
use rotators::ldap::{CaCertificates, LdapSettings, SingleUser};
use secrets_core::rotation::Outcome;
use secrets_core::rotator::{RotatorErrorKind as Kind, Verdict};
use secrets_core::store::Label;
use serde_json::{Value, json};

use crate::probe::{self, Seen, fault, saying};
use crate::support::{APP, Client, FIRST, Fixture, bare, with_admin};

async fn probe(fixture: &Fixture, settings: LdapSettings, extra: &Value) -> Seen {
    let rotator = SingleUser::new(fixture.store.clone(), settings);
    probe::ask(&rotator, &fixture.document(extra)).await
}

/// The answer to a first request: a result code, the server's words, and a control of its policy.
fn answer(operation: u8, code: u8, objection: Option<u8>) -> Vec<u8> {
    let part = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).expect("short");
        [&[tag, length], content].concat()
    };
    let words = part(0x04, b"sentinel");
    let result = [part(0x0a, &[code]), part(0x04, b""), words].concat();
    let mut message = [part(0x02, &[1]), part(operation, &result)].concat();
    if let Some(objection) = objection {
        let value = part(0x30, &part(0x81, &[objection]));
        let oid = part(0x04, b"1.3.6.1.4.1.42.2.27.8.5.1");
        let control = part(0x30, &[oid, part(0x04, &value)].concat());
        message.extend(part(0xa0, &control));
    }
    part(0x30, &message)
}

const BIND: u8 = 0x61;
const EXTENDED: u8 = 0x78;

#[tokio::test]
async fn an_answer_is_told_as_what_it_is() {
    let fixture = Fixture::start(bare()).await;
    let unreachable = |code| fault(Kind::Unreachable, code);
    let refused = |code| fault(Kind::Refused, code);
    let misconfigured = |code| fault(Kind::Misconfigured, code);
    let bind = |code, objection| answer(BIND, code, objection);
    let deep = vec![0x30, 0x80];
    let cases: [(Vec<u8>, Seen); 22] = [
        (bind(0, None), Ok(Verdict::Accepted)),
        (bind(0, Some(2)), Ok(Verdict::Accepted)),
        (bind(49, None), Ok(Verdict::Rejected)),
        (bind(49, Some(1)), refused(Some("accountLocked"))),
        (bind(49, Some(0)), refused(Some("passwordExpired"))),
        (bind(53, None), refused(Some("unwillingToPerform"))),
        (bind(48, None), refused(Some("inappropriateAuthentication"))),
        (bind(50, None), refused(Some("insufficientAccessRights"))),
        (bind(80, None), refused(Some("other"))),
        (bind(99, None), refused(Some("99"))),
        (bind(2, None), refused(Some("protocolError"))),
        (bind(51, None), unreachable(Some("busy"))),
        (bind(52, None), unreachable(Some("unavailable"))),
        (
            bind(13, None),
            misconfigured(Some("confidentialityRequired")),
        ),
        (bind(8, None), misconfigured(Some("strongerAuthRequired"))),
        (bind(34, None), misconfigured(Some("invalidDNSyntax"))),
        (bind(10, None), misconfigured(Some("referral"))),
        (vec![], unreachable(None)),
        (vec![0x30, 0], misconfigured(None)),
        (b"HTTP/1.1 400 sentinel".to_vec(), misconfigured(None)),
        (
            b"-ERR sentinel, and some more words of it that are long\r\n".to_vec(),
            misconfigured(None),
        ),
        (deep, misconfigured(None)),
    ];
    for (answer, expected) in cases {
        let port = saying(answer.clone()).await;
        let extra = json!({ "port": port, "ssl": false });
        let seen = probe(&fixture, fixture.settings(), &extra).await;
        assert_eq!(
            seen,
            expected,
            "{answer:x?} {}",
            String::from_utf8_lossy(&answer)
        );
    }
}

#[tokio::test]
async fn a_server_without_start_tls_is_told_and_sent_no_password() {
    let fixture = Fixture::start(bare()).await;
    let port = saying(answer(EXTENDED, 2, None)).await;
    let extra = json!({ "port": port, "start_tls": true });
    let seen = probe(&fixture, fixture.settings(), &extra).await;
    assert_eq!(seen, fault(Kind::Misconfigured, Some("protocolError")));
}

#[tokio::test]
async fn no_server_and_silent_servers_are_out_of_reach() {
    let fixture = Fixture::start(bare()).await;
    let proxy = TcpProxy::start(fixture.server.host(), fixture.server.port()).await;
    let expected = fault(Kind::Unreachable, None);
    for mode in [TcpMode::Refuse, TcpMode::Silent] {
        proxy.set_mode(mode).await;
        for protection in [json!({}), json!({"ssl": false}), json!({"start_tls": true})] {
            let mut extra = protection;
            extra["port"] = json!(proxy.port());
            let seen = probe(&fixture, fixture.settings(), &extra).await;
            assert_eq!(seen, expected, "{mode:?}, {extra}");
        }
    }
    let nowhere = json!({ "host": "no-such-host.invalid" });
    let seen = probe(&fixture, fixture.settings(), &nowhere).await;
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_port_of_another_kind_is_no_wrong_password() {
    let fixture = Fixture::start(bare()).await;
    let (tls, plain) = (fixture.server.port(), fixture.server.plain_port());
    for extra in [
        json!({"port": tls, "ssl": false}),
        json!({"port": tls, "start_tls": true}),
        json!({"port": plain}),
    ] {
        let (kind, code) = probe(&fixture, fixture.settings(), &extra)
            .await
            .expect_err("a fault");
        assert!(
            matches!(kind, Kind::Unreachable | Kind::Tls),
            "{kind:?} {extra}"
        );
        assert_eq!(code, None);
    }
}

#[tokio::test]
async fn servers_must_prove_who_they_are() {
    let fixture = Fixture::start(bare()).await;
    let other = LdapServer::builder()
        .server_names(&["ldap.example"])
        .start()
        .await;
    let tls = fault(Kind::Tls, None);
    let accepted = Ok(Verdict::Accepted);
    for start_tls in [false, true] {
        let own = |server: &LdapServer| {
            let port = if start_tls {
                server.plain_port()
            } else {
                server.port()
            };
            json!({"port": port, "start_tls": start_tls, "ca_certificate": server.ca_pem()})
        };
        let mut untrusting = fixture.settings();
        untrusting.ca_certificate = None;
        let mut without = own(&fixture.server);
        without["ca_certificate"] = json!(null);
        let seen = probe(&fixture, untrusting.clone(), &without).await;
        assert_eq!(seen, tls, "no trusted authority");
        let seen = probe(&fixture, untrusting.clone(), &own(&fixture.server)).await;
        assert_eq!(seen, accepted, "that of the secret is trusted");
        let seen = probe(&fixture, fixture.settings(), &own(&other)).await;
        assert_eq!(seen, tls, "another name");
        let mut named = own(&other);
        named["tls_server_name"] = json!("ldap.example");
        let seen = probe(&fixture, fixture.settings(), &named).await;
        let expected = Ok(Verdict::Rejected);
        assert_eq!(
            seen, expected,
            "the name of the certificate, and no such entry there"
        );
        let mut another = untrusting;
        another.ca_certificate = CaCertificates::from_pem(&other.ca_pem()).ok();
        let seen = probe(&fixture, another, &without).await;
        assert_eq!(seen, tls, "another authority");
        assert!(
            !other.log().contains(APP) || start_tls || other.log().matches("BIND").count() == 1
        );
    }
}

#[tokio::test]
async fn names_that_cannot_be_verified_are_told() {
    let fixture = Fixture::start(bare()).await;
    for name in ["::1", "a b", "ldap.example:636"] {
        let extra = json!({ "tls_server_name": name });
        let seen = probe(&fixture, fixture.settings(), &extra).await;
        assert_eq!(seen, fault(Kind::Misconfigured, None), "{name}");
    }
    assert!(!fixture.server.log().contains("BIND dn=\"uid"));
}

/// One chunk is one message: the client waits for each answer.
#[tokio::test]
async fn a_rotation_cut_off_at_any_message_heals() {
    let mut fixture = Fixture::start(with_admin()).await;
    let port = fixture.server.plain_port();
    let proxy = TcpProxy::start(fixture.server.host(), port).await;
    let mut messages = 0;
    for chunk in 1.. {
        let mut reached = false;
        for before in [true, false] {
            fixture.root.replace(APP, "userPassword", &[FIRST]).await;
            let name = |part: &str| format!("{part} {chunk} {before}");
            let extra = json!({ "port": proxy.port(), "ssl": false });
            fixture.put_current(&name("zero"), &fixture.document(&extra));
            // With a previous version, so that there is something to retire.
            let rotated = fixture.rotate(&fixture.rotation(), &name("one")).await;
            assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));

            proxy.reset();
            let action = TcpAction::Drop;
            let at = if before {
                Fault::Before(action)
            } else {
                Fault::After(action)
            };
            proxy.fault_at(chunk, at);
            let cut = fixture.rotate(&fixture.rotation(), &name("two")).await;
            proxy.reset();
            if let Err(fault) = &cut {
                reached = true;
                assert!(!format!("{fault:?}").contains("NoneAccepted"), "{fault:?}");
                let current = fixture.password(&Label::Current).await;
                let mut client = Client::plaintext(&fixture.server).await;
                assert_eq!(client.bind(APP, &current).await, 0);
                let healed = fixture.rotate(&fixture.rotation(), &name("two")).await;
                assert_eq!(healed.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
            }
            assert_eq!(fixture.stored().await.len(), 2, "chunk {chunk}");
            messages = chunk;
        }
        if !reached {
            break;
        }
    }
    assert!(messages > 10, "{messages}");
    println!("cut off at each of {} messages", messages - 1);
}
