//! What a server gets to see and keep of passwords.

use harness::redis::RedisBuilder;
use secrets_core::store::Label;
use secrets_core::testing::sentinel;

use crate::support::{ADMIN, Client, Fixture, on_both};

on_both!(no_password_is_in_anything_that_the_server_keeps_or_shows);

async fn no_password_is_in_anything_that_the_server_keeps_or_shows(builder: RedisBuilder) {
    let builder = builder
        .acl_file()
        .setting("loglevel", "debug")
        .setting("slowlog-log-slower-than", "0")
        .setting("slowlog-max-len", "10000");
    let mut fixture = Fixture::start(builder).await;
    let mut monitor = Client::admin(&fixture.server).await;
    assert_eq!(monitor.call(&["MONITOR"]).await, "+OK");
    let mut passwords = vec![ADMIN.to_owned(), fixture.password(&Label::Current).await];
    for version in ["second", "third"] {
        fixture.rotates(version).await;
        passwords.push(fixture.password(&Label::Current).await);
    }
    // The end of what the monitor is read for.
    fixture.admin.call(&["ECHO", "the end"]).await;
    let mut seen = String::new();
    while !seen.contains("the end") {
        seen += &monitor.answer().await;
        seen.push('\n');
    }
    assert!(seen.contains("(redacted)"), "logins are seen: {seen}");
    let slow = fixture.admin.call(&["SLOWLOG", "GET", "10000"]).await;
    assert!(
        slow.to_lowercase().contains("setuser"),
        "changes are seen: {slow}"
    );
    let log = fixture.admin.call(&["ACL", "LOG", "1000"]).await;
    assert!(log.contains("app"), "refusals are seen: {log}");
    let (own, file) = (fixture.server.log(), fixture.server.acl_file());
    assert!(!own.is_empty());
    for password in &passwords {
        for text in [&seen, &slow, &log, &own, &file] {
            assert_eq!(sentinel::found(password, text), None, "{text}");
        }
    }
}
