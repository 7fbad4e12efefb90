//! What is promised, whoever goes on when.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use shuttle::future::block_on;
use shuttle::thread;

use super::builder::Builder;
use super::clock::TestClock;
use super::core::Core;
use super::entry::{Entry, TooSoon};
use super::error::ClientError;
use super::sync::Handle;
use crate::document::{DocumentError, SecretDocument};
use crate::event::SecretId;
use crate::store::{Label, SecretReader, SecretVersion, StoreError, StoreErrorKind, Version};

/// A client that loses the first questions.
fn client(service: Service, clock: &TestClock, lost: u64) -> Arc<Core> {
    let builder = Builder::new(service).clock(clock).jitter(0.0);
    let builder = builder.ttl(Duration::from_secs(1));
    builder.runtime(&Handle::losing(lost)).build().0
}

/// Gives a version that is the number of the call; or refuses from the second call on.
#[derive(Clone, Default)]
struct Service {
    calls: Arc<AtomicUsize>,
    refuses: bool,
}

impl SecretReader for Service {
    async fn get(&self, id: &SecretId, _: &Version) -> Result<SecretVersion, StoreError> {
        let call = self.calls.fetch_add(1, SeqCst) + 1;
        shuttle::future::yield_now().await;
        if self.refuses && call > 1 {
            let denied = StoreError::new(StoreErrorKind::Denied, "GetSecretValue", id);
            return Err(denied.with_code(Some("AccessDeniedException".to_owned())));
        }
        Ok(SecretVersion {
            id: call.to_string().as_str().into(),
            labels: [Label::Current].into(),
            created: None,
            arn: None,
            document: SecretDocument::from_text(&format!(r#"{{"password": "{call}"}}"#)),
        })
    }
}

struct Login(SecretString);

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        // Parsing takes its time.
        thread::yield_now();
        Ok(Self(secret.text("password")?))
    }
}

const ID: &str = "app/db";
const AGE: Duration = Duration::from_secs(2);
const ORDERS: usize = 500;

/// Tries random orders, and those in which few changes of the thread decide.
fn in_many_orders(test: impl Fn() + Send + Sync + 'static) {
    let test = Arc::new(test);
    let same = Arc::clone(&test);
    shuttle::check_random(move || test(), ORDERS);
    shuttle::check_pct(move || same(), ORDERS, 3);
}

/// As `get_secret`.
fn read(core: &Arc<Core>) -> Result<String, ClientError> {
    if let Some(held) = core.current.at(ID, |entry| entry.fresh()) {
        return Ok(held.as_ref().expect("a value").id.as_str().to_owned());
    }
    let secret = block_on(core.read(&core.current_entry(ID)))?;
    Ok(secret.version().as_str().to_owned())
}

fn at_once<A>(future: impl Future<Output = A>) -> Option<A> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Three at once.
fn three(work: impl Fn() + Send + Sync + 'static) {
    let work = Arc::new(work);
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let work = Arc::clone(&work);
            thread::spawn(move || work())
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
}

#[test]
fn many_who_find_nothing_ask_once() {
    in_many_orders(|| {
        let service = Service::default();
        let core = client(service.clone(), &TestClock::new(), 0);
        three(move || assert_eq!(read(&core).expect("a value"), "1"));
        assert_eq!(service.calls.load(SeqCst), 1);
    });
}

#[test]
fn many_who_find_an_expired_value_are_served_and_ask_once() {
    in_many_orders(|| {
        let (service, clock) = (Service::default(), TestClock::new());
        let core = client(service.clone(), &clock, 0);
        read(&core).expect("a value");
        clock.freeze(AGE);
        three(move || {
            let entry = core.current_entry(ID);
            let secret = at_once(core.read(&entry)).expect("no waiting");
            secret.expect("a value, old or new");
        });
        assert!(service.calls.load(SeqCst) <= 2);
    });
}

#[test]
fn a_question_that_is_lost_is_asked_anew_and_nobody_waits_for_ever() {
    in_many_orders(|| {
        let service = Service::default();
        let core = client(service.clone(), &TestClock::new(), 2);
        three(move || assert_eq!(read(&core).expect("a value"), "1"));
        assert_eq!(service.calls.load(SeqCst), 1);
    });
}

#[test]
fn a_handle_that_is_made_while_a_version_comes_in_has_that_version() {
    in_many_orders(|| {
        let (service, clock) = (Service::default(), TestClock::new());
        let core = client(service, &clock, 0);
        read(&core).expect("a value");
        let entry = core.current_entry(ID);
        let (same, own) = (Arc::clone(&core), Arc::clone(&entry));
        let maker = thread::spawn(move || own.slot::<Login>(&same).expect("a login"));
        refreshed(&core, &entry).expect("the second version");
        let slot = maker.join().expect("no panic");
        let login = slot.read().expect("a login");
        assert_eq!(login.version_id().as_str(), "2");
        assert_eq!(login.0.expose_secret(), "2");
    });
}

#[test]
fn after_a_refusal_nobody_finds_the_value() {
    in_many_orders(|| {
        let clock = TestClock::new();
        let service = Service {
            refuses: true,
            ..Service::default()
        };
        let core = client(service, &clock, 0);
        read(&core).expect("a value");
        let entry = core.current_entry(ID);
        let before = entry.slot::<Login>(&core).expect("a login");
        let (same, own) = (Arc::clone(&core), Arc::clone(&entry));
        let maker = thread::spawn(move || own.slot::<Login>(&same).ok());
        let reader = {
            let (core, before) = (Arc::clone(&core), Arc::clone(&before));
            thread::spawn(move || {
                // Once it is refused, it stays so.
                if read(&core).is_err() {
                    assert!(before.read().is_none());
                    assert!(read(&core).is_err());
                }
            })
        };
        refreshed(&core, &entry).expect_err("refused");
        assert!(entry.fresh().is_none() && read(&core).is_err());
        assert!(before.read().is_none());
        reader.join().expect("no panic");
        let made = maker.join().expect("no panic");
        assert!(made.is_none_or(|slot| slot.read().is_none()));
    });
}

/// Asks before the time.
fn refreshed(core: &Arc<Core>, entry: &Arc<Entry>) -> Result<(), ClientError> {
    block_on(entry.force(core, TooSoon::Wait))
}
