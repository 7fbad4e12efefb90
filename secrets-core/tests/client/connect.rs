//! A login that works while the password changes, and never so often that an account gets locked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrets_core::client::{ClientError, ConnectError, SecretHandle};
use secrets_core::store::StoreErrorKind;

use crate::stub::{ID, Login, Mood, Stub, builder, client, pass};

/// A target that holds one password, and notes each login.
#[derive(Clone)]
struct Target(Arc<Mutex<(String, Vec<String>)>>);

#[derive(Debug, PartialEq, Eq)]
enum Fault {
    WrongPassword,
    Down,
}

impl Target {
    fn new(password: &str) -> Self {
        Self(Arc::new(Mutex::new((password.to_owned(), Vec::new()))))
    }

    fn wants(&self, password: &str) {
        password.clone_into(&mut self.0.lock().expect("no panic").0);
    }

    /// The logins since the last time that this was asked.
    fn logins(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic").1)
    }

    fn login(&self, password: &str) -> Result<String, Fault> {
        let mut target = self.0.lock().expect("no panic");
        target.1.push(password.to_owned());
        if target.0 == "down" {
            return Err(Fault::Down);
        }
        if target.0 != password {
            return Err(Fault::WrongPassword);
        }
        Ok(password.to_owned())
    }

    async fn connect(&self, db: &SecretHandle<Login>) -> Result<String, ConnectError<Fault>> {
        db.connect_with(
            |login| async move { self.login(login.password()) },
            |fault| *fault == Fault::WrongPassword,
        )
        .await
    }
}

#[tokio::test(start_paused = true)]
async fn in_quiet_times_the_current_version_is_tried_and_the_store_is_not_asked() {
    let (stub, target) = (Stub::new(), Target::new("password-1"));
    let db = client(&stub).secret::<Login>(ID).await.expect("a login");
    for _ in 0..10 {
        assert_eq!(
            target.connect(&db).await.expect("a connection"),
            "password-1"
        );
    }
    assert_eq!((target.logins().len(), stub.gets()), (10, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_version_is_replaced_by_the_one_that_is_current_now() {
    let (stub, target) = (Stub::new(), Target::new("password-2"));
    let db = client(&stub).secret::<Login>(ID).await.expect("a login");
    stub.put(ID, "2");
    assert_eq!(
        target.connect(&db).await.expect("a connection"),
        "password-2"
    );
    assert_eq!(
        target.connect(&db).await.expect("a connection"),
        "password-2"
    );
    assert_eq!(target.logins(), ["password-1", "password-2", "password-2"]);
    assert_eq!((stub.gets(), stub.past_caches()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn between_set_and_finish_the_pending_version_is_tried_where_that_is_wanted() {
    for wanted in [true, false] {
        let (stub, target) = (Stub::new(), Target::new("password-1"));
        let builder = builder(&stub).0;
        let secrets = if wanted {
            builder.try_pending().build()
        } else {
            builder.build()
        };
        let db = secrets.secret::<Login>(ID).await.expect("a login");
        stub.begin("2").await;
        assert_eq!(
            target.connect(&db).await.expect("a connection"),
            "password-1"
        );
        target.wants("password-2");
        let connection = target.connect(&db).await;
        if !wanted {
            assert!(matches!(
                connection,
                Err(ConnectError::Refused {
                    last: Fault::WrongPassword,
                    why: ClientError::Refused { .. }
                })
            ));
            continue;
        }
        assert_eq!(connection.expect("a connection"), "password-2");
        assert_eq!(target.logins(), ["password-1", "password-1", "password-2"]);
        // The next ones do not try in vain what was refused a moment ago.
        for _ in 0..10 {
            assert_eq!(
                target.connect(&db).await.expect("a connection"),
                "password-2"
            );
        }
        assert_eq!(target.logins(), ["password-2"; 10]);
        stub.publish("1", "2").await;
        assert_eq!(
            target.connect(&db).await.expect("a connection"),
            "password-2"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn rotations_are_counted_when_they_are_published_not_while_they_are_pending() {
    let (stub, target) = (Stub::new(), Target::new("password-1"));
    let secrets = builder(&stub).0.try_pending().build();
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    for version in 1..4_u64 {
        let (from, to) = (version.to_string(), (version + 1).to_string());
        stub.begin(&to).await;
        target.wants(&format!("password-{to}"));
        target.connect(&db).await.expect("a connection");
        assert_eq!(secrets.stats().rotations, version - 1, "{to} is pending");
        stub.publish(&from, &to).await;
        db.refresh().await.expect("a value");
        assert_eq!(secrets.stats().rotations, version, "{to} is current");
    }
}

#[tokio::test(start_paused = true)]
async fn no_login_fails_while_rotations_follow_each_other_at_any_pace() {
    for pace in [0, 1, 40, 90, 250, 700, 1500, 10_000].map(Duration::from_millis) {
        let (stub, target) = (Stub::new(), Target::new("password-1"));
        let secrets = builder(&stub).0.try_pending().build();
        let db = secrets.secret::<Login>(ID).await.expect("a login");
        for version in 1..20 {
            let (from, to) = (version.to_string(), (version + 1).to_string());
            let connect = async |when: &str| {
                for _ in 0..3 {
                    let connection = target.connect(&db).await;
                    assert!(
                        connection.is_ok(),
                        "{when} {to}, pace {pace:?}: {connection:?}"
                    );
                }
                pass(pace).await;
            };
            connect("before").await;
            stub.begin(&to).await;
            connect("created").await;
            target.wants(&format!("password-{to}"));
            connect("set").await;
            stub.publish(&from, &to).await;
            connect("finished").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_account_gets_locked() {
    let (stub, target) = (Stub::new(), Target::new("changed by hand"));
    let secrets = builder(&stub).0.try_pending().build();
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.begin("2").await;
    // Ten minutes of an application that does not give up.
    let end = tokio::time::Instant::now() + Duration::from_mins(10);
    let mut tries = 0;
    while tokio::time::Instant::now() < end {
        let fault = target.connect(&db).await.expect_err("a wrong password");
        assert!(matches!(
            fault,
            ConnectError::Refused { .. } | ConnectError::Secret(ClientError::Refused { .. })
        ));
        tries += 1;
        pass(Duration::from_millis(10)).await;
    }
    assert!(tries > 400, "{tries}");
    // Two versions, each after pauses of 1, 2, 4, 8, 16 and then 30 s.
    let logins = target.logins();
    for password in ["password-1", "password-2"] {
        let presented = logins.iter().filter(|login| *login == password).count();
        assert!((20..=26).contains(&presented), "{password}: {presented}");
    }
    // Mended: it works, and what was refused is forgotten.
    target.wants("password-1");
    pass(Duration::from_secs(30)).await;
    for _ in 0..3 {
        assert_eq!(
            target.connect(&db).await.expect("a connection"),
            "password-1"
        );
    }
    assert_eq!(target.logins(), ["password-1"; 3]);
}

#[tokio::test(start_paused = true)]
async fn at_most_three_versions_are_tried_in_one_call() {
    let (stub, target) = (Stub::new(), Target::new("changed by hand"));
    let secrets = builder(&stub).0.try_pending().build();
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.put(ID, "2");
    stub.begin("3").await;
    let fault = target.connect(&db).await.expect_err("a wrong password");
    assert!(matches!(
        fault,
        ConnectError::Refused {
            last: Fault::WrongPassword,
            ..
        }
    ));
    assert_eq!(target.logins(), ["password-1", "password-2", "password-3"]);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_down_has_refused_nothing() {
    let (stub, target) = (Stub::new(), Target::new("down"));
    let db = client(&stub).secret::<Login>(ID).await.expect("a login");
    let fault = target.connect(&db).await.expect_err("down");
    assert!(matches!(fault, ConnectError::Target(Fault::Down)));
    assert_eq!((target.logins().len(), stub.gets()), (1, 1));
    target.wants("password-1");
    assert_eq!(
        target.connect(&db).await.expect("a connection"),
        "password-1"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_does_not_hide_the_pending_version_that_is_held() {
    let (stub, target) = (Stub::new(), Target::new("password-1"));
    let secrets = builder(&stub).0.try_pending().build();
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.begin("2").await;
    target.wants("password-2");
    assert_eq!(
        target.connect(&db).await.expect("a connection"),
        "password-2"
    );
    stub.fail(StoreErrorKind::Throttled, "ThrottlingException");
    assert_eq!(
        target.connect(&db).await.expect("a connection"),
        "password-2"
    );
}

#[tokio::test(start_paused = true)]
async fn a_thousand_rejections_at_once_are_one_call() {
    let stub = Stub::new();
    stub.latency(Duration::from_millis(300));
    let db = client(&stub).secret::<Login>(ID).await.expect("a login");
    stub.put(ID, "2");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let db = db.clone();
        tasks.spawn(async move {
            let next = db.rejected(&"1".into()).await;
            next.map(|next| next.version_id().clone())
        });
    }
    for next in tasks.join_all().await {
        assert_eq!(next, Ok("2".into()));
    }
    assert_eq!(stub.gets(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_gone_is_said_to_be_gone() {
    let (stub, target) = (Stub::new(), Target::new("password-2"));
    let db = client(&stub).secret::<Login>(ID).await.expect("a login");
    stub.fail(StoreErrorKind::Denied, "AccessDeniedException");
    let fault = target.connect(&db).await.expect_err("denied");
    assert!(matches!(
        fault,
        ConnectError::Refused {
            why: ClientError::AccessDenied(_),
            ..
        }
    ));
    let fault = target.connect(&db).await.expect_err("denied");
    assert!(matches!(
        fault,
        ConnectError::Secret(ClientError::AccessDenied(_))
    ));
    stub.mood(Mood::Answers);
}
