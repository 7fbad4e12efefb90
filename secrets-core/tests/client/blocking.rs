//! The client without tokio in sight.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrets_core::client::blocking::SecretsClient;
use secrets_core::client::{ClientError, ConnectError};
use secrets_core::store::Version;

use crate::stub::{ID, Login, Mood, Stub, password};

fn client(stub: &Stub) -> SecretsClient {
    let builder = secrets_core::client::SecretsClient::builder(stub.clone());
    SecretsClient::build(builder.timeout(Duration::from_secs(1))).expect("a thread")
}

#[test]
fn secrets_are_read_and_held() {
    let stub = Stub::new();
    stub.put("app/other", "1");
    let secrets = client(&stub);
    for _ in 0..10 {
        assert_eq!(
            password(&secrets.get_secret(ID).expect("a secret")),
            "password-1"
        );
    }
    assert_eq!((stub.gets(), secrets.stats().hits), (1, 9));
    let login: Login = secrets.get(ID).expect("a login");
    assert_eq!(login.password(), "password-1");
    let first = Version::Id("1".into());
    secrets.get_secret_version(ID, &first).expect("a version");
    let key = secrets.load(&[ID, "app/other"], |s| Ok(password(s.secret("app/other")?)));
    assert_eq!(key, Ok("password-1".to_owned()));
    let fault = secrets.get_secret("none").expect_err("none");
    assert!(
        matches!(fault, ClientError::ResourceNotFound(_)),
        "{fault:?}"
    );
}

#[test]
fn threads_share_one_call() {
    let stub = Stub::new();
    stub.latency(Duration::from_millis(20));
    let secrets = client(&stub);
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| secrets.get_secret(ID).expect("a secret"));
        }
    });
    assert_eq!(stub.gets(), 1);
}

#[test]
fn a_handle_logs_in_with_what_is_current_now() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).expect("a login");
    stub.put(ID, "2");
    let logins = AtomicUsize::new(0);
    let login = || {
        db.connect_with(
            |login| {
                logins.fetch_add(1, Ordering::Relaxed);
                match login.password() {
                    "password-2" => Ok("connected"),
                    _ => Err("refused"),
                }
            },
            |fault| *fault == "refused",
        )
    };
    assert_eq!(login().expect("a connection"), "connected");
    assert_eq!(login().expect("a connection"), "connected");
    assert_eq!((logins.into_inner(), stub.gets()), (3, 2));
    assert_eq!(db.current().expect("a login").password(), "password-2");
    let refused: Result<(), _> = db.connect_with(|_| Err("down"), |fault| *fault == "refused");
    assert!(matches!(refused, Err(ConnectError::Target("down"))));
}

#[test]
fn a_store_that_hangs_is_given_up() {
    let stub = Stub::new();
    stub.mood(Mood::Hangs);
    let fault = client(&stub).get_secret(ID).expect_err("no answer");
    assert!(matches!(fault, ClientError::TimedOut { .. }), "{fault:?}");
}

#[tokio::test]
async fn it_may_be_called_where_a_runtime_is() {
    let stub = Stub::new();
    let secrets = client(&stub);
    secrets.get_secret(ID).expect("a secret");
}

#[test]
fn its_thread_ends_with_the_last_handle() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).expect("a login");
    drop(secrets);
    assert_eq!(db.current().expect("a login").password(), "password-1");
    let next = db.rejected(&"1".into()).expect_err("nothing newer");
    assert!(matches!(next, ClientError::Refused { .. }), "{next:?}");
}
