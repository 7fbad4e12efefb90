//! Rotations that are cut off at each request to the management API, before it is seen and after it was
//! done.

use harness::proxy::{Fault, HttpAction, HttpProxy};
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{Fixture, listing};

#[tokio::test]
async fn every_cut_heals() {
    let mut f = Fixture::start().await;
    let proxy = HttpProxy::start(&format!("http://127.0.0.1:{}", f.server.http_port())).await;
    let port = proxy
        .endpoint()
        .rsplit_once(':')
        .expect("a port")
        .1
        .to_owned();
    let ports = json!({"ssl": false, "port": f.server.amqp_port(), "management_port": port});
    for fault in [Fault::Before, Fault::After] {
        let mut half_made = 0;
        for call in 1.. {
            let user = format!(
                "{call}-{}",
                matches!(fault(HttpAction::Drop), Fault::After(_))
            );
            f.another(&user).await;
            f.put_current("proxied", &ports);
            let rotation = f.alternating();
            let begun = f.store.begin_rotation(&f.secret, &"2".into());
            begun.expect("no other rotation");
            f.send(&rotation, Step::Create, "2").await.expect("a value");
            proxy.reset();
            proxy.fault_at(call, fault(HttpAction::Drop));
            let cut = f.send(&rotation, Step::Set, "2").await;
            let struck = proxy.calls().len() >= call;
            proxy.clear_faults();
            assert_eq!(cut.is_err(), struck, "{cut:?}");
            let clone = format!("{user}_clone");
            let (model, made) = (
                listing(&f.server, &user).await,
                listing(&f.server, &clone).await,
            );
            let is_half_made = made.is_some() && made != model;
            half_made += usize::from(is_half_made);
            if is_half_made {
                // Nobody knows its password.
                assert_eq!(f.logs_in(&Label::Pending).await, Err(403), "{call}");
            }
            assert_eq!(f.logs_in(&Label::Current).await, Ok(()));
            let rotated = f.rotate(&rotation, "2").await.expect("a rotation");
            assert_eq!(rotated[3], Outcome::Promoted, "request {call}");
            f.same_rights(&user, &clone).await;
            assert_eq!(f.logs_in(&Label::Current).await, Ok(()));
            if !struck {
                println!("{} cuts, {half_made} half-made users", call - 1);
                // Fewer would mean that the second user was not made in between.
                assert!(call > 15 && half_made > 4, "{call} {half_made}");
                break;
            }
        }
    }
}
