//! Rotations that are cut off at each message to the server, before it is seen and after it was answered.

use harness::mysql::Edition;
use harness::proxy::{Fault, TcpAction, TcpProxy};
use rotators::mysql::OldPassword;
use secrets_core::event::Step;
use secrets_core::rotation::Rotation;
use secrets_core::rotator::Rotator;
use secrets_core::store::Label;
use secrets_core::store::memory::MemoryStore;
use serde_json::json;

use crate::support::{Fixture, is_mysql, on_both};

on_both![a_user_heals_after_every_cut];

async fn a_user_heals_after_every_cut<E: Edition>() {
    let mut fixture = Fixture::<E>::start().await;
    fixture
        .add_admin(crate::support::ADMIN_OF_ONE.get::<E>())
        .await;
    let proxy = TcpProxy::start(fixture.server.host(), fixture.server.port()).await;
    let admins: &[bool] = if is_mysql::<E>() {
        &[false, true]
    } else {
        &[true]
    };
    let mut cuts = 0;
    for (admin, before) in admins
        .iter()
        .flat_map(|admin| [(admin, true), (admin, false)])
    {
        for chunk in 1.. {
            let user = format!("u{chunk}{before}{admin}");
            fixture.add_user(&user, &["%"]).await;
            if is_mysql::<E>() {
                fixture
                    .root(&format!(
                        "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO {user}"
                    ))
                    .await;
            }
            let admin = admin.then_some("arn:admin");
            let proxied = json!({"masterarn": admin, "port": proxy.port()});
            fixture.put_current("proxied", &proxied);
            let rotation = fixture.single(OldPassword::default());
            let struck = cut(&fixture, &rotation, &proxy, chunk, before).await;
            assert_eq!(fixture.current_logs_in().await, Ok(()));
            let healed = fixture.rotate(&rotation, "second").await;
            healed.unwrap_or_else(|fault| panic!("after a cut at message {chunk}: {fault:?}"));
            assert_eq!(fixture.current_logs_in().await, Ok(()));
            assert_eq!(
                fixture.label_logs_in(&Label::Previous).await,
                Ok(()),
                "at {chunk}"
            );
            if !struck {
                assert!(chunk > 10, "only {chunk} messages");
                break;
            }
            cuts += 1;
        }
    }
    println!("a user on {}: {cuts} cuts", fixture.server.version());
}

/// createSecret and setSecret, which is cut off. Whether it was.
async fn cut<E: Edition, R: Rotator>(
    fixture: &Fixture<E>,
    rotation: &Rotation<MemoryStore, R>,
    proxy: &TcpProxy,
    chunk: usize,
    before: bool,
) -> bool {
    let begun = fixture
        .store
        .begin_rotation(&fixture.secret, &"second".into());
    begun.expect("no other rotation");
    fixture
        .send(rotation, Step::Create, "second")
        .await
        .expect("a value");
    proxy.reset();
    let action = TcpAction::Drop;
    proxy.fault_at(
        chunk,
        if before {
            Fault::Before(action)
        } else {
            Fault::After(action)
        },
    );
    let cut = fixture.send(rotation, Step::Set, "second").await;
    let struck = proxy.chunks() >= chunk;
    proxy.clear_faults();
    // The last messages end sessions whose work is done.
    assert!(struck || cut.is_ok(), "{cut:?}");
    struck
}
