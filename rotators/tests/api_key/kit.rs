//! The kit, over a provider on loopback, for each kind of it. What a call of the rotator leaves behind when
//! it is cut off between two of its requests is in `requests`.

use std::time::Duration;

use harness::key_server::KeyServer;
use rotators::api_key::ApiKey;
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};

use crate::faults::{CRASHES_AND_ERRORS, DISTINCT, with_faults};
use crate::provider::Kind;
use crate::settings;

/// The truth about one provider.
struct Provider {
    server: KeyServer,
    kind: Kind,
}

impl Target for Provider {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let key = secret.text(self.kind.key()).expect("a key");
        self.server.serves(key.expose_secret())
    }

    async fn live(&self) -> Option<usize> {
        Some(self.server.live())
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(self.server.refused())
    }

    fn is_secret(&self, key: &str) -> bool {
        key == self.kind.key()
    }

    async fn outage(&self, on: bool) -> bool {
        self.server.set_down(on);
        true
    }

    /// Deletes what is there and makes a new key.
    async fn reauthorise(&self) -> Option<SecretDocument> {
        for id in self.server.ids() {
            self.server.delete(&id);
        }
        Some(self.kind.first_secret(&self.server))
    }
}

async fn trial(world: World, kind: Kind) -> Trial<ApiKey<MemoryStore>, Provider> {
    let server = kind.start().await;
    let clock = world.clone();
    server.use_clock(move || clock.now());
    let secret = kind.populate(&server, world.store());
    let settings = settings(&kind.configuration(&server));
    Trial::new(Provider { server, kind }, secret, move || {
        ApiKey::new(world.store().clone(), settings.clone())
    })
}

/// With these faults; without any, two invocations side by side.
async fn proves(kind: Kind, faults: &[Fault]) {
    let prover = Prover::new(async |world| trial(world, kind).await);
    let prover = with_faults(prover, faults, Duration::from_secs(1));
    match prover.run().await {
        Ok(proof) => println!("{kind:?}: {proof}"),
        Err(violation) => panic!("{kind:?}: {violation}"),
    }
}

/// One kind of provider meets all.
fn crashes_and_errors(kind: Kind) -> &'static [Fault] {
    match kind {
        Kind::ThreeSlots => &CRASHES_AND_ERRORS,
        _ => &DISTINCT,
    }
}

fn hangs(kind: Kind) -> &'static [Fault] {
    match kind {
        Kind::ThreeSlots => &[Fault::HangBefore, Fault::HangAfter],
        _ => &[Fault::HangAfter],
    }
}

/// A call that hangs leaves what a crash leaves, and takes a second: so not for each kind.
macro_rules! heals {
    ($($name:ident: $kind:ident $(, $more:ident)*;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn crashes_and_errors_heal() {
                proves(Kind::$kind, crashes_and_errors(Kind::$kind)).await;
            }

            $(heals!($more $kind);)*
        }
    )*};
    (hangs $kind:ident) => {
        #[tokio::test]
        async fn calls_that_hang_heal() {
            proves(Kind::$kind, hangs(Kind::$kind)).await;
        }
    };
    (meetings $kind:ident) => {
        #[tokio::test]
        async fn events_that_meet_heal() {
            proves(Kind::$kind, &[]).await;
        }
    };
}

heals! {
    three_slots: ThreeSlots, hangs, meetings;
    two_slots: TwoSlots;
    two_slots_next_rotation: TwoSlotsNext, meetings;
    dated: Dated;
    idempotent: Idempotent, meetings;
    unlisted: Unlisted;
    client_secret: ClientSecret;
    chosen: Chosen, meetings;
    chosen_with_the_previous_kept: ChosenKept;
    in_place: InPlace, hangs, meetings;
    in_place_unread: InPlaceUnread;
}
