//! A fake of SQL Server: its protocol (TDS 7.4, with TLS inside of PRELOGIN), and its rules about logins, users,
//! passwords, roles and rights.
//!
//! It keeps all of these as state, and knows the statements that rotators send: those that change something are
//! parsed and carried out, with the rights of who sends them; of questions to the catalogue it reads the view, the
//! names of the columns and the condition. Anything else is answered by an error, and told by
//! [`SqlServer::not_understood`], which each test ends with.

mod batch;
mod catalogue;
mod ddl;
mod grant;
mod lexer;
mod packet;
mod setup;
mod state;
mod stream;
mod users;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::state::Condition;
use self::state::State;
use crate::port;
use crate::proxy::Fault;
use crate::tls::{TestCa, TlsFiles, local_names};

/// What a server says of encryption in its first message (MS-TDS 2.2.6.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// It can, and does if the client wants it.
    #[default]
    Offered,
    /// It can, and insists.
    Required,
    /// It cannot.
    NotSupported,
}

/// What happens instead of an answer to a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An error of this number.
    Error(u32),
    /// The connection is closed.
    Drop,
    /// Nothing, for ever.
    Hang,
}

/// The fake; its connections end on drop.
#[derive(Debug)]
pub struct SqlServer {
    port: u16,
    ca: TestCa,
    shared: Arc<Shared>,
    acceptor: JoinHandle<()>,
    end: watch::Sender<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    encryption: Encryption,
    files: TlsFiles,
    /// The faults of the next statements, by their number from now on.
    faults: Mutex<VecDeque<(usize, Fault<Action>)>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to happen to the statement that comes now.
    fn fault(&self) -> Option<Fault<Action>> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = None;
        faults.retain_mut(|(left, fault)| {
            *left -= 1;
            if *left == 0 {
                due = Some(fault.clone());
            }
            *left > 0
        });
        due
    }
}

impl SqlServer {
    /// A server with TLS, the databases `master`, `tempdb` and `msdb`, and nobody else but `sa`.
    pub async fn start() -> Self {
        Self::start_with(Encryption::default()).await
    }

    /// The same with other manners.
    pub async fn start_with(encryption: Encryption) -> Self {
        Self::with_certificate_for(encryption, &local_names()).await
    }

    /// The same with a certificate for these names.
    pub async fn with_certificate_for(encryption: Encryption, names: &[String]) -> Self {
        let ca = TestCa::generate();
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new()),
            encryption,
            files: ca.issue(names),
            faults: Mutex::default(),
        });
        let (end, _) = watch::channel(());
        let (port, listener) = loop {
            let port = port::free();
            if let Ok(listener) = TcpListener::bind(port::local(port)).await {
                break (port, listener);
            }
        };
        let acceptor = tokio::spawn(accept(listener, Arc::clone(&shared), end.clone()));
        let server = Self {
            port,
            ca,
            shared,
            acceptor,
            end,
        };
        server.add_login(SA, SA_PASSWORD);
        let mut state = server.shared.state();
        let sa = state.logins.get_mut(SA).expect("added");
        sa.roles.insert("sysadmin".to_owned());
        drop(state);
        server
    }

    /// The address for clients: 127.0.0.1.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port for clients.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority of the server's certificate.
    pub fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// Runs a statement as `sa`, in that database.
    ///
    /// # Panics
    /// If it fails.
    pub fn execute(&self, database: &str, sql: &str) {
        let mut session = state::Session {
            login: Some(SA.to_owned()),
            user: None,
            database: database.to_owned(),
        };
        let done = batch::run(&mut self.shared.state(), &mut session, sql);
        done.unwrap_or_else(|fault| panic!("{sql}: {fault:?}"));
    }

    /// Whether a password is right now, without a trace; `dbname` decides who is meant.
    pub fn has_password(&self, database: &str, name: &str, password: &str) -> bool {
        let state = self.shared.state();
        let user = state
            .databases
            .get(database)
            .and_then(|it| it.users.get(name));
        if let Some(user) = user.filter(|user| user.sid.is_none()) {
            user.password == password
        } else {
            let login = state.logins.get(name);
            login.is_some_and(|login| login.password == password && !login.disabled)
        }
    }

    /// Whether there is such a login.
    pub fn has_login(&self, name: &str) -> bool {
        self.shared.state().logins.contains_key(name)
    }

    /// All that a login, and its user in each database, may do and is set to, in lines without names of theirs.
    pub fn rights(&self, name: &str) -> Vec<String> {
        let state = self.shared.state();
        let mut lines = Vec::new();
        let login = state.logins.get(name);
        if let Some(it) = login {
            lines.push(format!(
                "login {} {} {} {} {} {:?} {:?}",
                it.database,
                it.language,
                it.policy,
                it.expiration,
                it.disabled,
                it.roles,
                it.rights
            ));
        }
        for (database, it) in &state.databases {
            let is_own = |(user, it): &(&String, &state::User)| match it.sid {
                Some(sid) => login.is_some_and(|login| login.sid == sid),
                None => *user == name,
            };
            lines.extend(it.users.iter().filter(is_own).map(|(_, user)| {
                let (roles, rights) = (&user.roles, &user.rights);
                format!("in {database} {:?} {roles:?} {rights:?}", user.schema)
            }));
        }
        lines
    }

    /// The users of a database.
    pub fn users(&self, database: &str) -> Vec<String> {
        let state = self.shared.state();
        state.databases[database].users.keys().cloned().collect()
    }

    /// Logins that were refused.
    pub fn refused_logins(&self) -> usize {
        self.shared.state().refused_logins
    }

    /// All batches of clients so far, as they came.
    pub fn statements(&self) -> Vec<String> {
        self.shared.state().statements.clone()
    }

    /// Forgets these.
    pub fn forget_statements(&self) {
        self.shared.state().statements.clear();
    }

    /// What clients sent that this server does not know.
    pub fn not_understood(&self) -> Vec<String> {
        self.shared.state().not_understood.clone()
    }

    /// A fault for the `n`th batch from now on, 1 for the next.
    pub fn fault_at(&self, n: usize, fault: Fault<Action>) {
        let mut faults = self
            .shared
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        faults.push_back((n, fault));
    }
}

/// Who may do everything.
const SA: &str = "sa";
const SA_PASSWORD: &str = "Password-of-sa-1";

impl Drop for SqlServer {
    fn drop(&mut self) {
        self.end.send_replace(());
        self.acceptor.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, end: watch::Sender<()>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        let (shared, mut end) = (Arc::clone(&shared), end.subscribe());
        tokio::spawn(async move {
            tokio::select! {
                _ = Box::pin(batch::serve(client, &shared)) => {}
                _ = end.changed() => {}
            }
        });
    }
}
