//! What a server gets to see and keep of passwords.

use secrets_core::store::Label;
use secrets_core::testing::sentinel;

use crate::support::{ADMIN, Fixture, with_admin};

/// Everything that it can log, but the messages themselves (`ber`, `packets`, `shell`, `parse`): those are what
/// clients send, in binds too.
const ALL_WORDS: &str = "trace,args,conns,filter,config,acl,stats,stats2,sync";

#[tokio::test]
async fn no_new_password_is_in_anything_that_the_server_keeps_or_logs() {
    let mut fixture = Fixture::start(with_admin().log_level(ALL_WORDS)).await;
    let mut passwords = vec![ADMIN.to_owned(), fixture.password(&Label::Current).await];
    for version in ["second", "third"] {
        fixture.rotates(version).await;
        passwords.push(fixture.password(&Label::Current).await);
    }
    let (log, files) = (fixture.server.log(), fixture.server.files());
    assert!(log.contains("userPassword"), "changes are seen");
    assert!(files.contains("{SSHA}"), "hashes are kept");
    for password in &passwords {
        assert_eq!(sentinel::found(password, &log), None);
    }
    // The first ones are in clear text, as the test has put them there.
    for password in &passwords[2..] {
        assert_eq!(sentinel::found(password, &files), None);
    }
    let stored = fixture.stored().await;
    assert!(
        stored.iter().all(|value| !log.contains(value.as_str())),
        "nor hashes"
    );
}
