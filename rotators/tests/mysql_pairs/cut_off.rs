//! Rotations that are cut off at each message to the server, before it is seen and after it was answered.

use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql};
use harness::proxy::{Fault, TcpAction, TcpProxy};
use secrets_core::event::Step;
use secrets_core::store::Label;
use serde_json::json;

use crate::pair::{Pair, RIGHTS_OF_A_SHOPPER};

/// Cut after a message is what the server takes for a cut before the next one.
#[tokio::test]
async fn every_cut_heals_on_mysql() {
    every_cut_heals::<MySql>(Fault::After).await;
}

#[tokio::test]
async fn every_cut_heals_on_mariadb() {
    every_cut_heals::<MariaDb>(Fault::Before).await;
}

/// A new pair for each message of setSecret, in which the second user is made.
async fn every_cut_heals<E: Edition>(fault: fn(TcpAction) -> Fault<TcpAction>) {
    let mut pair = Pair::<E>::start().await;
    let proxy = TcpProxy::start(pair.server.host(), pair.server.port()).await;
    let mut half_made = 0;
    for chunk in 1.. {
        let user = format!("u{chunk}");
        pair.plain(&user, RIGHTS_OF_A_SHOPPER.get::<E>()).await;
        let proxied = json!({"masterarn": "arn:admin", "port": proxy.port()});
        pair.put_current("proxied", &proxied);
        let struck = is_cut(&pair, &proxy, chunk, fault(TcpAction::Drop)).await;
        pair.shopper_works().await;
        half_made += usize::from(is_half_made(&pair, &user).await);
        pair.rotates(&pair.alternating(), "second").await;
        let made = format!("{user}_clone");
        assert_eq!(pair.current_user().await, made, "message {chunk}");
        let (first, second) = (pair.listing(&user).await, pair.listing(&made).await);
        assert_eq!(first, second, "after a cut at message {chunk}");
        pair.shopper_works().await;
        if !struck {
            let version = pair.server.version();
            println!("{version}: {} cuts, {half_made} half-made users", chunk - 1);
            // Fewer would mean that the second user was not made in between.
            assert!(chunk > 20 && half_made > 5, "{chunk} {half_made}");
            return;
        }
    }
}

/// createSecret and setSecret. Whether the connection was cut.
async fn is_cut<E: Edition>(
    pair: &Pair<E>,
    proxy: &TcpProxy,
    chunk: usize,
    fault: Fault<TcpAction>,
) -> bool {
    let rotation = pair.alternating();
    let begun = pair.store.begin_rotation(&pair.secret, &"second".into());
    begun.expect("no other rotation");
    let created = pair.send(&rotation, Step::Create, "second").await;
    created.expect("a value");
    proxy.reset();
    proxy.fault_at(chunk, fault);
    let cut = pair.send(&rotation, Step::Set, "second").await;
    let struck = proxy.chunks() >= chunk;
    proxy.clear_faults();
    // The last messages end sessions whose work is done.
    assert!(struck || cut.is_ok(), "{cut:?}");
    struck
}

/// There, and with other rights: then nobody knows its password.
async fn is_half_made<E: Edition>(pair: &Pair<E>, user: &str) -> bool {
    let clone = pair.listing(&format!("{user}_clone")).await;
    if clone.is_empty() || clone == pair.listing(user).await {
        return false;
    }
    let pending = pair.label_logs_in(&Label::Pending);
    assert_eq!(pending.await, Err(1045), "{user}");
    true
}
