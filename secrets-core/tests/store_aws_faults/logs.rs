//! What the SDK and the store log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use harness::proxy::{Fault, HttpAction};
use secrets_core::testing::sentinel::found;
use tracing_subscriber::filter::LevelFilter;

use crate::call::{ACCESS_KEY, Call, ROTATION, SESSION, VALUE, emulated};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_even_at_trace() {
    let (_moto, _wire, proxy, store) = emulated().await;
    let log = Log::default();
    let writer = log.clone();
    // Of this thread: the test's runtime has no other.
    let _guard = tracing::subscriber::set_default(
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(move || writer.clone())
            .finish(),
    );
    for call in [
        Call::Put,
        Call::Promote,
        Call::Get,
        Call::Describe,
        Call::Discard,
        Call::Mark,
        Call::Unmark,
    ] {
        call.run(&store).await.expect("no fault");
    }
    proxy.reset();
    proxy.fault_from(1, Fault::Before(HttpAction::Garbage));
    for call in Call::ALL {
        call.run(&store).await.expect_err("garbage");
    }
    let log = log.0.lock().expect("not poisoned");
    let text = String::from_utf8_lossy(&log);
    assert!(text.contains("TRACE"), "the SDK logs through another crate");
    for secret in [VALUE, ACCESS_KEY, SESSION, ROTATION] {
        assert_eq!(found(secret, &text), None);
    }
}
