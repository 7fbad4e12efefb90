//! Servers that do not answer, answer something else, or break off: none of it is a wrong password.

use harness::proxy::{Fault, TcpAction, TcpMode, TcpProxy};
use harness::redis::{RedisBuilder, RedisServer};
use rotators::redis::{CaCertificates, RedisSettings, SingleUser};
use secrets_core::rotation::Outcome;
use secrets_core::rotator::{RotatorErrorKind as Kind, Verdict};
use secrets_core::store::Label;
use serde_json::{Value, json};

use crate::probe::{self, Seen, fault, saying};
use crate::support::{Client, FIRST, Fixture, on_both};

on_both! {
    an_answer_is_told_as_what_it_is,
    no_server_and_silent_servers_are_out_of_reach,
    a_port_without_tls_and_a_port_with_tls_are_told,
    servers_must_prove_who_they_are,
    a_server_with_no_connection_left_is_out_of_reach,
    a_rotation_cut_off_at_any_message_heals,
}

async fn probe(fixture: &Fixture, settings: RedisSettings, extra: &Value) -> Seen {
    let rotator = SingleUser::new(fixture.store.clone(), settings);
    probe::ask(&rotator, &fixture.document(extra)).await
}

async fn an_answer_is_told_as_what_it_is(builder: RedisBuilder) {
    let fixture = Fixture::start(builder).await;
    let unreachable = |code| fault(Kind::Unreachable, code);
    let refused = |code| fault(Kind::Refused, code);
    let garbled = || fault(Kind::Misconfigured, None);
    let cases: [(&[u8], Seen); 16] = [
        (b"+OK\r\n", Ok(Verdict::Accepted)),
        (b"-WRONGPASS sentinel\r\n", Ok(Verdict::Rejected)),
        (b"-LOADING sentinel\r\n", unreachable(Some("LOADING"))),
        (b"-BUSY sentinel\r\n", unreachable(Some("BUSY"))),
        (b"-MASTERDOWN sentinel\r\n", unreachable(Some("MASTERDOWN"))),
        (
            b"-ERR max number of clients reached\r\n",
            unreachable(Some("ERR")),
        ),
        (b"-NOPERM sentinel\r\n", refused(Some("NOPERM"))),
        (b"-DENIED sentinel\r\n", refused(Some("DENIED"))),
        (b"-ERR invalid password sentinel\r\n", refused(Some("ERR"))),
        (b"-ERR unknown command sentinel\r\n", refused(Some("ERR"))),
        (b"-sentinel\r\n", refused(Some("ERR"))),
        (b"", unreachable(None)),
        (b"+OK", unreachable(None)),
        (b"$100\r\n", unreachable(None)),
        (b"HTTP/1.1 400 sentinel\r\n", garbled()),
        (b"$9999999999\r\n", garbled()),
    ];
    for (answer, expected) in cases {
        let port = saying(answer.to_vec()).await;
        let extra = json!({ "port": port, "ssl": false });
        let seen = probe(&fixture, fixture.settings(), &extra).await;
        assert_eq!(seen, expected, "{}", String::from_utf8_lossy(answer));
    }
}

async fn no_server_and_silent_servers_are_out_of_reach(builder: RedisBuilder) {
    let fixture = Fixture::start(builder).await;
    let proxy = TcpProxy::start(fixture.server.host(), fixture.server.port()).await;
    let expected = fault(Kind::Unreachable, None);
    for mode in [TcpMode::Refuse, TcpMode::Silent] {
        proxy.set_mode(mode).await;
        for ssl in [true, false] {
            let extra = json!({ "port": proxy.port(), "ssl": ssl });
            let seen = probe(&fixture, fixture.settings(), &extra).await;
            assert_eq!(seen, expected, "{mode:?}, TLS {ssl}");
        }
    }
    let nowhere = json!({ "host": "no-such-host.invalid" });
    let seen = probe(&fixture, fixture.settings(), &nowhere).await;
    assert_eq!(seen, expected);
}

async fn a_port_without_tls_and_a_port_with_tls_are_told(builder: RedisBuilder) {
    let fixture = Fixture::start(builder.clone()).await;
    let seen = probe(&fixture, fixture.settings(), &json!({ "ssl": false })).await;
    assert_eq!(seen, fault(Kind::Unreachable, None), "it hangs up");

    let plaintext = builder.without_tls().start().await;
    let extra = json!({ "port": plaintext.port() });
    // It waits for the end of a line; where the handshake holds one, it answers in plaintext.
    let (kind, code) = probe(&fixture, fixture.settings(), &extra)
        .await
        .expect_err("a fault");
    assert!(matches!(kind, Kind::Unreachable | Kind::Tls), "{kind:?}");
    assert_eq!(code, None);
}

async fn servers_must_prove_who_they_are(builder: RedisBuilder) {
    let fixture = Fixture::start(builder.clone()).await;
    let other = builder
        .clone()
        .server_names(&["cache.example"])
        .start()
        .await;
    let tls = fault(Kind::Tls, None);
    let accepted = Ok(Verdict::Accepted);
    let own =
        |server: &RedisServer| json!({ "port": server.port(), "ca_certificate": server.ca_pem() });

    let mut untrusting = fixture.settings();
    untrusting.ca_certificate = None;
    let seen = probe(&fixture, untrusting.clone(), &json!({})).await;
    assert_eq!(seen, tls, "no trusted authority");
    let seen = probe(&fixture, untrusting.clone(), &own(&fixture.server)).await;
    assert_eq!(seen, accepted, "that of the secret is trusted");
    let seen = probe(&fixture, fixture.settings(), &own(&other)).await;
    assert_eq!(seen, tls, "another name");
    let mut named = own(&other);
    named["tls_server_name"] = json!("cache.example");
    let seen = probe(&fixture, fixture.settings(), &named).await;
    assert_eq!(
        seen,
        Ok(Verdict::Rejected),
        "the name of the certificate, and no such user there"
    );
    let mut trusting_another = untrusting;
    trusting_another.ca_certificate = CaCertificates::from_pem(&other.ca_pem()).ok();
    let seen = probe(&fixture, trusting_another, &json!({})).await;
    assert_eq!(seen, tls, "another authority");
}

async fn a_server_with_no_connection_left_is_out_of_reach(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder.clone()).await;
    assert_eq!(
        fixture
            .admin
            .call(&["CONFIG", "SET", "maxclients", "1"])
            .await,
        "+OK"
    );
    let seen = probe(&fixture, fixture.settings(), &json!({})).await;
    assert_eq!(seen, fault(Kind::Unreachable, None), "TLS: it hangs up");

    let plaintext = builder
        .without_tls()
        .setting("maxclients", "1")
        .start()
        .await;
    let _only = Client::admin(&plaintext).await;
    let extra = json!({ "port": plaintext.port(), "ssl": false });
    let seen = probe(&fixture, fixture.settings(), &extra).await;
    let (kind, _) = seen.expect_err("a fault");
    assert_eq!(kind, Kind::Unreachable);
}

/// One chunk is one message: the client waits for each answer.
async fn a_rotation_cut_off_at_any_message_heals(builder: RedisBuilder) {
    let fixture = Fixture::start(builder.clone()).await;
    let server = builder.without_tls().acl_file().start().await;
    let mut admin = Client::admin(&server).await;
    let proxy = TcpProxy::start(server.host(), server.port()).await;
    let mut messages = 0;
    for chunk in 1.. {
        let mut reached = false;
        for before in [true, false] {
            let first = format!(">{FIRST}");
            let user = ["reset", "on", &first, "+ping"];
            admin.set_user("app", &user).await;
            let own = admin.call(&[
                "ACL",
                "SETUSER",
                "rotator",
                "on",
                ">sentinel-admin-password",
            ]);
            assert_eq!(own.await, "+OK");
            admin
                .set_user("rotator", &crate::support::ADMIN_RIGHTS)
                .await;
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
                let mut client = Client::plaintext(&server).await;
                assert_eq!(client.call(&["AUTH", "app", &current]).await, "+OK");
                let healed = fixture.rotate(&fixture.rotation(), &name("two")).await;
                assert_eq!(healed.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
            }
            assert_eq!(admin.hashes("app").await.len(), 2, "chunk {chunk}");
            let current = crate::support::sha256(&fixture.password(&Label::Current).await);
            assert!(server.acl_file().contains(&current), "chunk {chunk}");
            messages = chunk;
        }
        if !reached {
            break;
        }
    }
    assert!(messages > 10, "{messages}");
    println!("cut off at each of {} messages", messages - 1);
}
