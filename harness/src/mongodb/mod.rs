//! A protocol fake of `MongoDB` and Amazon `DocumentDB`: logins with SCRAM, users and roles.
//!
//! It keeps users with their roles, hashes and data, and enforces the rights that the real server asks for.
//! What it does not know (a command, a field, another form of a name) is refused, and fails the test when the
//! fake is dropped.

mod connection;
mod rights;
mod scram;
mod state;
mod wire;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bson::{Bson, Document};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::port;
use crate::proxy::Fault;
use crate::tls::{TestCa, local_names};
use state::{State, User};

/// Which of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `MongoDB` 5 and later.
    MongoDb,
    /// `DocumentDB` before 5.0.1: SCRAM-SHA-1 alone, users in `admin` alone, no word of mechanisms or
    /// restrictions.
    DocumentDb,
}

/// What a client gets instead of the answer.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The connection is closed.
    Drop,
    /// Nothing, for ever.
    Hang,
    /// A refusal with this code.
    Refuse(i32),
    /// Another answer.
    Answer(Document),
    /// Bytes that need not be an answer.
    Bytes(Vec<u8>),
}

/// Options of a server.
#[derive(Debug)]
pub struct MongoBuilder {
    dialect: Dialect,
    tls: bool,
    names: Vec<String>,
}

/// The fake; its connections end on drop.
///
/// # Panics
/// On drop, if it was asked for what it does not know.
#[derive(Debug)]
pub struct FakeMongo {
    port: u16,
    ca: TestCa,
    shared: Arc<Shared>,
    acceptor: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    book: Mutex<Book>,
    open: AtomicUsize,
}

#[derive(Debug)]
struct Book {
    state: State,
    commands: Vec<Document>,
    faults: BTreeMap<usize, Fault<Trouble>>,
    logins: usize,
    refused: usize,
    down: bool,
    impostor: bool,
    wire_version: i32,
    place: Place,
}

/// A server's place in its replica set.
#[derive(Debug)]
enum Place {
    Primary,
    /// It may know the primary, `host:port`.
    Secondary(Option<String>),
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MongoBuilder {
    /// As `DocumentDB` before 5.0.1.
    #[must_use]
    pub fn document_db(mut self) -> Self {
        self.dialect = Dialect::DocumentDb;
        self
    }

    /// Plaintext only.
    #[must_use]
    pub fn without_tls(mut self) -> Self {
        self.tls = false;
        self
    }

    /// The names in the certificate.
    #[must_use]
    pub fn server_names(mut self, names: &[&str]) -> Self {
        self.names = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Starts it, without any user.
    pub async fn start(self) -> FakeMongo {
        let ca = TestCa::generate();
        let shared = Arc::new(Shared {
            book: Mutex::new(Book {
                state: State::new(self.dialect),
                commands: Vec::new(),
                faults: BTreeMap::new(),
                logins: 0,
                refused: 0,
                down: false,
                impostor: false,
                wire_version: 21,
                place: Place::Primary,
            }),
            open: AtomicUsize::new(0),
        });
        let (port, listener) = listen().await;
        let tls = self.tls.then(|| ca.issue(&self.names).acceptor());
        let accepting = accept(listener, tls, Arc::clone(&shared));
        FakeMongo {
            port,
            ca,
            shared,
            acceptor: tokio::spawn(accepting),
        }
    }
}

impl FakeMongo {
    /// Options first: `MongoDB`, TLS only.
    pub fn builder() -> MongoBuilder {
        MongoBuilder {
            dialect: Dialect::MongoDb,
            tls: true,
            names: local_names(),
        }
    }

    /// The address to connect to: 127.0.0.1.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that signed the server's, PEM.
    pub fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// A role in that database: actions, each on a database, or on all where its name is empty.
    pub fn create_role(&self, database: &str, role: &str, privileges: &[(&str, &[&str])]) {
        let own = |text: &&str| (*text).to_owned();
        let privileges = privileges
            .iter()
            .map(|(on, actions)| ((*on).to_owned(), actions.iter().map(own).collect()))
            .collect();
        let name = (database.to_owned(), role.to_owned());
        self.book().state.roles.define(name, privileges);
    }

    /// Forgets a role that was created.
    pub fn drop_role(&self, database: &str, role: &str) {
        let name = (database.to_owned(), role.to_owned());
        self.book().state.roles.drop(&name);
    }

    /// A user with these roles, each a name and its database, and all mechanisms.
    ///
    /// # Panics
    /// If the password cannot be used.
    pub fn create_user(&self, database: &str, name: &str, password: &str, roles: &[(&str, &str)]) {
        let roles = roles
            .iter()
            .map(|&(role, on)| (on.to_owned(), role.to_owned()));
        let mut book = self.book();
        let credentials = book.state.credentials(&Document::new(), name, password);
        let user = User {
            roles: roles.collect(),
            custom_data: None,
            restrictions: None,
            credentials: credentials.expect("a password for every mechanism"),
        };
        let key = (database.to_owned(), name.to_owned());
        book.state.users.insert(key, user);
    }

    /// Gives a user another password, and all mechanisms.
    ///
    /// # Panics
    /// If the password cannot be used.
    pub fn set_password(&self, database: &str, name: &str, password: &str) {
        let mut book = self.book();
        let credentials = book.state.credentials(&Document::new(), name, password);
        let key = (database.to_owned(), name.to_owned());
        let user = book.state.users.get_mut(&key).expect("a user");
        user.credentials = credentials.expect("a password for every mechanism");
    }

    /// Gives a user `customData`, and says from where it may log in (which is not enforced).
    pub fn describe_user(&self, database: &str, name: &str, data: Document, from: Vec<Bson>) {
        self.with_user(database, name, |user| {
            user.custom_data = Some(data);
            user.restrictions = Some(from);
        });
    }

    /// Takes every mechanism from a user but these.
    pub fn keep_mechanisms(&self, database: &str, name: &str, kept: &[&str]) {
        self.with_user(database, name, |user| {
            user.credentials.retain(|name, _| kept.contains(name));
        });
    }

    /// Gives a user other roles.
    pub fn set_roles(&self, database: &str, name: &str, roles: &[(&str, &str)]) {
        let roles = roles
            .iter()
            .map(|&(role, on)| (on.to_owned(), role.to_owned()));
        self.with_user(database, name, |user| user.roles = roles.collect());
    }

    /// Removes a user.
    pub fn drop_user(&self, database: &str, name: &str) {
        let key = (database.to_owned(), name.to_owned());
        self.book().state.users.remove(&key);
    }

    /// A user as `usersInfo` shows it, with its restrictions.
    pub fn user(&self, database: &str, name: &str) -> Option<Document> {
        let key = (database.to_owned(), name.to_owned());
        self.book().state.shown(&key, true)
    }

    /// The names of all users of a database.
    pub fn users(&self, database: &str) -> Vec<String> {
        let book = self.book();
        let users = book.state.users.keys().filter(|(on, _)| on == database);
        users.map(|(_, name)| name.clone()).collect()
    }

    /// Whether the user logs in with this password, whichever way.
    pub fn knows(&self, database: &str, name: &str, password: &str) -> bool {
        let key = (database.to_owned(), name.to_owned());
        let user = self.book().state.users.get(&key).cloned();
        user.is_some_and(|user| {
            let mut credentials = user.credentials.values();
            !user.credentials.is_empty() && credentials.all(|it| it.is_of(name, password))
        })
    }

    /// How many logins were accepted, and refused.
    pub fn logins(&self) -> (usize, usize) {
        let book = self.book();
        (book.logins, book.refused)
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// All passwords that there ever were: what must be found nowhere.
    pub fn passwords(&self) -> Vec<String> {
        self.book().state.passwords.clone()
    }

    /// Closes every new connection without an answer, or answers again.
    pub fn set_down(&self, down: bool) {
        self.book().down = down;
    }

    /// Lets everybody in with a proof that is wrong.
    pub fn set_impostor(&self) {
        self.book().impostor = true;
    }

    /// Speaks this version of the protocol.
    pub fn set_wire_version(&self, version: i32) {
        self.book().wire_version = version;
    }

    /// Becomes a secondary; names that primary, `host:port`, if there is one.
    pub fn step_down(&self, primary: Option<String>) {
        self.book().place = Place::Secondary(primary);
    }

    /// A fault for exactly that command, counted from 1 since the start or the last reset.
    pub fn fault_at(&self, command: usize, fault: Fault<Trouble>) {
        self.book().faults.insert(command, fault);
    }

    /// No more faults, no commands recorded, and the next one is the first.
    pub fn reset(&self) {
        let mut book = self.book();
        book.faults.clear();
        book.commands.clear();
    }

    /// Every command since the start or the last reset.
    pub fn commands(&self) -> Vec<Document> {
        self.book().commands.clone()
    }

    fn with_user(&self, database: &str, name: &str, change: impl FnOnce(&mut User)) {
        let key = (database.to_owned(), name.to_owned());
        change(self.book().state.users.get_mut(&key).expect("a user"));
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.shared.book()
    }
}

impl Drop for FakeMongo {
    fn drop(&mut self) {
        self.acceptor.abort();
        let unknown = std::mem::take(&mut self.book().state.unknown);
        assert!(
            unknown.is_empty() || std::thread::panicking(),
            "the fake of MongoDB was asked for what it does not know: {unknown:?}"
        );
    }
}

async fn listen() -> (u16, TcpListener) {
    loop {
        let port = port::free();
        if let Ok(listener) = TcpListener::bind(port::local(port)).await {
            return (port, listener);
        }
    }
}

/// Takes connections until it is aborted, which ends them, too.
async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        if !shared.book().down {
            connections.spawn(carry(stream, tls.clone(), Arc::clone(&shared)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let _open = connection::Open::count(&shared);
    let _ = stream.set_nodelay(true);
    // An error is a client that went away.
    let _ = match tls {
        None => connection::serve(stream, Arc::clone(&shared)).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => connection::serve(stream, Arc::clone(&shared)).await,
            Err(fault) => Err(fault),
        },
    };
}
