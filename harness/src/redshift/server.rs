//! The listener, what is told to go wrong, and what tests ask behind the protocol's back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::connection::{Plan, Shared, locked, serve};
use super::session::Session;
use super::state::{Kind, Password, Row, State, StoredAs, User};
use super::views;
use crate::tls::{TestCa, local_names};

/// What happens instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error with this SQLSTATE.
    Refuse(&'static str),
    /// Nothing, for ever.
    Hang,
    /// The connection ends.
    Drop,
}

/// Whether the statement has its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It has none.
    Before,
    /// It has, and the client does not learn of it.
    After,
}

/// A running fake; it ends with the value, and fails the test if it was sent what it does not know.
pub struct RedshiftFake {
    shared: Arc<Shared>,
    port: u16,
    ca: TestCa,
    listener: JoinHandle<()>,
}

impl RedshiftFake {
    /// The superuser that is there from the start.
    pub const SUPERUSER: &str = "awsuser";

    /// A cluster with the database `dev`, the schema `public` and one superuser. It takes TLS and plaintext.
    pub async fn start() -> Self {
        let ca = TestCa::generate();
        let tls = ca.issue(&local_names()).acceptor();
        let shared = Arc::new(Shared::default());
        {
            let mut state = locked(&shared.state);
            let mut superuser = User::new();
            superuser.superuser = true;
            state.users.insert(Self::SUPERUSER.to_owned(), superuser);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let accepting = Arc::clone(&shared);
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // An error is a client that has gone away.
                tokio::spawn(serve(stream, tls.clone(), Arc::clone(&accepting)));
            }
        });
        let fake = Self {
            shared,
            port,
            ca,
            listener,
        };
        fake.add(Kind::Database, &["dev"], Self::SUPERUSER);
        fake.add(Kind::Schema, &["public"], Self::SUPERUSER);
        fake
    }

    /// Where it listens.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority of its certificate.
    pub fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// From now on logins without TLS are refused, as `require_ssl` has it.
    pub fn require_tls(&self) {
        self.shared.requires_tls.store(true, Ordering::Relaxed);
    }

    /// Adds a user whose password is kept in that way, or gives a user that is there another one.
    pub fn put_user(&self, name: &str, password: &str, stored: StoredAs) {
        let mut state = locked(&self.shared.state);
        let text = match stored {
            StoredAs::Md5 => format!(
                "md5{}",
                super::state::md5(&[password.as_bytes(), name.as_bytes()])
            ),
            StoredAs::Sha256 => format!("sha256|{password}"),
            StoredAs::Disabled => String::new(),
        };
        let kept = match stored {
            StoredAs::Disabled => Password::Disabled,
            _ => State::stored(&text, name).expect("a password that Redshift takes"),
        };
        let user = state.users.entry(name.to_owned()).or_insert_with(User::new);
        user.password = kept;
        state.version += 1;
    }

    /// Takes a user away, with its rights and memberships.
    pub fn drop_user(&self, name: &str) {
        let mut state = locked(&self.shared.state);
        state.users.remove(name);
        for members in state.groups.values_mut() {
            members.remove(name);
        }
        state
            .rights
            .retain(|(_, row), _| !row.values().any(|value| value == name));
        state.version += 1;
    }

    /// Gives a user a system permission to change users that are no superusers.
    pub fn let_alter_users(&self, name: &str) {
        self.user(name, |user| user.alters_users = true);
    }

    /// Takes from a user the right to change its own password.
    pub fn fix_password(&self, name: &str) {
        self.user(name, |user| user.fixed = true);
    }

    /// Lets a password end in so many seconds, which may be over.
    pub fn expire(&self, name: &str, seconds: i64) {
        let span = Duration::from_secs(seconds.unsigned_abs());
        let now = SystemTime::now();
        let end = if seconds < 0 { now - span } else { now + span };
        self.user(name, |user| user.valid_until = Some(end));
    }

    /// In how many days the password of a user ends, rounded down.
    pub fn valid_days(&self, name: &str) -> Option<u64> {
        let state = locked(&self.shared.state);
        let end = state.users.get(name)?.valid_until?;
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        Some(left.as_secs() / 86_400)
    }

    fn user(&self, name: &str, change: impl FnOnce(&mut User)) {
        let mut state = locked(&self.shared.state);
        change(state.users.get_mut(name).expect("a user"));
        state.version += 1;
    }

    /// As what the password of a user is kept; none if there is no such user.
    pub fn stored_as(&self, name: &str) -> Option<StoredAs> {
        let state = locked(&self.shared.state);
        Some(match state.users.get(name)?.password {
            Password::Md5(_) => StoredAs::Md5,
            Password::Sha256 { .. } => StoredAs::Sha256,
            Password::Disabled => StoredAs::Disabled,
        })
    }

    /// Adds something to have rights on. Paths: a name; schema and name; for functions, types, too.
    pub fn add(&self, kind: Kind, path: &[&str], owner: &str) {
        let mut state = locked(&self.shared.state);
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        state.things.insert((kind, path), owner.to_owned());
        state.version += 1;
    }

    /// Adds a row to a system view, whatever it says.
    pub fn put_right(&self, view: &str, columns: &[(&'static str, &str)]) {
        let view = views::known(view).expect("a view");
        let row = columns
            .iter()
            .map(|(column, value)| (*column, (*value).to_owned()));
        let mut state = locked(&self.shared.state);
        state.rights.insert((view, row.collect()), false);
        state.version += 1;
    }

    /// Runs statements of the superuser's, one a line, without a login.
    pub fn run(&self, statements: &str) {
        let mut session = Session::new(Self::SUPERUSER.to_owned());
        let mut state = locked(&self.shared.state);
        let lines = statements
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty());
        for statement in ["SET enable_case_sensitive_identifier TO true"]
            .into_iter()
            .chain(lines)
        {
            let done = session.run(statement, &mut state);
            assert!(done.is_ok(), "{statement}: {done:?}");
        }
    }

    /// Whether a login with this password would be let in.
    pub fn takes(&self, user: &str, password: &str) -> bool {
        locked(&self.shared.state).takes(user, password)
    }

    /// How many of these users could log in with some password.
    pub fn with_password(&self, users: &[&str]) -> usize {
        let state = locked(&self.shared.state);
        let kept = users.iter().filter_map(|name| state.users.get(*name));
        kept.filter(|user| user.password != Password::Disabled)
            .count()
    }

    /// Whether there is such a user.
    pub fn has_user(&self, name: &str) -> bool {
        locked(&self.shared.state).users.contains_key(name)
    }

    /// All that a user was given, and what it is, without its name: the same texts for users who may do the
    /// same.
    pub fn portrait(&self, name: &str) -> BTreeSet<String> {
        let state = locked(&self.shared.state);
        let mut texts = BTreeSet::new();
        if let Some(user) = state.users.get(name) {
            texts.insert(format!(
                "user {} {} {} {:?} {} {:?}",
                user.superuser,
                user.createdb,
                user.sees_all,
                user.connection_limit,
                user.session_timeout,
                user.settings
            ));
        }
        for (group, members) in &state.groups {
            if members.contains(name) {
                texts.insert(format!("group {group}"));
            }
        }
        for ((view, row), option) in &state.rights {
            if let Some(text) = of(name, row) {
                texts.insert(format!("{view} {text} {option}"));
            }
        }
        texts
    }

    /// From now on the `skip`th-next statement that begins like that meets this fault, once. A login is the
    /// statement `LOGIN user`.
    pub fn plan(&self, beginning: &str, skip: usize, fault: Fault, when: When) {
        locked(&self.shared.plans).push(Plan {
            beginning: beginning.to_owned(),
            skip,
            fault,
            when,
        });
    }

    /// Who sent what, logins included; forgotten when it was asked for.
    pub fn seen(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *locked(&self.shared.seen))
    }

    /// Logins that were refused as wrong.
    pub fn refused_logins(&self) -> usize {
        *locked(&self.shared.refused_logins)
    }

    /// Sessions of a user that are open.
    pub fn sessions(&self, user: &str) -> u32 {
        let sessions = locked(&self.shared.sessions);
        sessions.get(user).copied().unwrap_or_default()
    }

    /// What came and was not known; asked for, it is forgiven.
    pub fn unknown(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.shared.unknown))
    }
}

/// A right of this user as a text without the user; none of others.
fn of(name: &str, row: &Row) -> Option<String> {
    const WHO: [&str; 5] = [
        "user_name",
        "identity_name",
        "grantee_name",
        "grantee",
        "owner_name",
    ];
    let is_theirs = WHO
        .iter()
        .any(|column| row.get(column).is_some_and(|it| it == name));
    let texts = row.iter().map(|(column, value)| {
        let is_user = WHO.contains(column) && value == name;
        format!("{column}={}", if is_user { "*" } else { value })
    });
    is_theirs.then(|| texts.collect::<Vec<_>>().join(" "))
}

impl Drop for RedshiftFake {
    fn drop(&mut self) {
        self.listener.abort();
        let unknown = self.unknown();
        if !std::thread::panicking() {
            assert!(unknown.is_empty(), "the fake does not know: {unknown:#?}");
        }
    }
}

impl std::fmt::Debug for RedshiftFake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RedshiftFake({})", self.port)
    }
}
