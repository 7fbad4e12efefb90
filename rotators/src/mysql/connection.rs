//! A session: one login, and statements that each have a deadline.

use std::fmt;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Row, SslOpts, Value};
use secrecy::ExposeSecret;
use secrets_core::rotator::{Context, RotatorError, Verdict};
use tokio::time::{Instant, timeout_at};

use super::credential::{Login, MySqlCredential, Tls};
use super::error::{Peer, Role, SessionError, at_login};
use super::settings::MySqlSettings;
use super::sql::Sql;
use super::version::Server;
use crate::{database, tls};

/// How long the end of a session is waited for; it ends without that, only not yet.
const CLOSE: Duration = Duration::from_secs(1);

/// What a session sets before it changes anything: only quotes have a meaning in values, names in what the
/// server shows are always quoted, and texts are Unicode both ways.
const MODES: &str = "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES', SESSION sql_quote_show_create = 1, \
                     SESSION character_set_client = utf8mb4, SESSION character_set_results = utf8mb4, \
                     SESSION collation_connection = utf8mb4_general_ci";

/// What became of a login; wrong (1045) is a wrong password, or no such user from here.
pub(super) type Entry = database::Entry<Box<Session>>;

/// A session that lasts as long as the value.
pub(super) struct Session {
    /// None once a statement got no answer.
    conn: Option<Conn>,
    peer: Peer,
    statement: Duration,
    deadline: Instant,
}

/// One line of an answer, by the names of its columns in lower case.
pub(super) struct Record(Row);

impl Session {
    /// Logs in, presenting the password once. An admin's session uses no database.
    pub(super) async fn open(
        server: &MySqlCredential,
        login: &Login,
        role: Role,
        settings: &MySqlSettings,
        cx: &Context,
    ) -> Result<Entry, RotatorError> {
        let peer = Peer {
            host: server.host.clone(),
            port: server.port,
            role,
        };
        let deadline = cx.deadline().min(Instant::now() + settings.timeouts.login);
        let mut connecting = Conn::new(options(server, login, role, settings)?);
        match timeout_at(deadline, &mut connecting).await {
            Ok(Ok(conn)) => Ok(Entry::Open(Box::new(Self {
                conn: Some(conn),
                peer,
                statement: settings.timeouts.statement,
                deadline: cx.deadline(),
            }))),
            Ok(Err(fault)) => at_login(&fault, &peer).map(|()| Entry::Wrong),
            Err(_) => {
                abandon(connecting);
                Err(peer.silent("did not let us in"))
            }
        }
    }

    /// Where this session leads.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Makes the session understand statements as [`Sql`] writes them; needed before any of these. Tells
    /// which server it is.
    pub(super) async fn prepare(&mut self) -> Result<Server, SessionError> {
        self.run(&Sql::new(MODES)).await?;
        let version = self
            .records(&Sql::new("SELECT VERSION() AS version"))
            .await?;
        let version = version.first().and_then(|record| record.text("version"));
        Ok(Server::of(&version.unwrap_or_default()))
    }

    /// Runs a statement whose answer does not matter.
    pub(super) async fn run(&mut self, sql: &Sql) -> Result<(), SessionError> {
        self.records(sql).await.map(drop)
    }

    /// Runs a statement and gives its answer.
    pub(super) async fn records(&mut self, sql: &Sql) -> Result<Vec<Record>, SessionError> {
        let Some(mut conn) = self.conn.take() else {
            return Err(SessionError::Broken(self.peer.silent("did not answer")));
        };
        let deadline = self.deadline.min(Instant::now() + self.statement);
        let Ok(answer) = timeout_at(deadline, conn.query::<Row, _>(sql.expose())).await else {
            abandon(conn);
            return Err(SessionError::Broken(self.peer.silent("did not answer")));
        };
        self.conn = Some(conn);
        match answer {
            Ok(rows) => Ok(rows.into_iter().map(Record).collect()),
            Err(fault) => Err(SessionError::new(&fault, &self.peer)),
        }
    }

    /// Whether the session that was let in does something, too. Ends it.
    pub(super) async fn works(mut self: Box<Self>) -> Result<Verdict, RotatorError> {
        let answer = self.run(&Sql::new("SELECT 1")).await;
        let answer = answer.map_err(|fault| fault.of_statement(&self.peer));
        self.close().await;
        answer.map(|()| Verdict::Accepted)
    }

    /// Ends the session, within bounds.
    pub(super) async fn close(self) {
        if let Some(conn) = self.conn {
            let enough = self.deadline.min(Instant::now() + CLOSE);
            let _ = timeout_at(enough, conn.disconnect()).await;
        }
    }
}

impl Record {
    /// The text in this column; None where there is no such column, or nothing in it.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        let columns = self.0.columns_ref();
        let at = columns
            .iter()
            .position(|it| it.name_str().eq_ignore_ascii_case(column))?;
        self.at(at)
    }

    /// Whether there is such a column.
    pub(super) fn has(&self, column: &str) -> bool {
        let columns = self.0.columns_ref();
        columns
            .iter()
            .any(|it| it.name_str().eq_ignore_ascii_case(column))
    }

    /// The text in the first column, whatever it is called.
    pub(super) fn first(&self) -> Option<String> {
        self.at(0)
    }

    fn at(&self, column: usize) -> Option<String> {
        match self.0.as_ref(column)? {
            // Statements without parameters are answered in text.
            Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }
}

fn options(
    server: &MySqlCredential,
    login: &Login,
    role: Role,
    settings: &MySqlSettings,
) -> Result<Opts, RotatorError> {
    let database = match role {
        Role::Own => server.database.clone(),
        Role::Admin => None,
    };
    let ssl = match &server.tls {
        Tls::Plaintext => None,
        Tls::Verified { server_name, ca } => {
            let server_name = server_name.as_deref().unwrap_or(&server.host);
            tls::check_server_name(server_name)?;
            choose_provider();
            let own = ca.as_ref().or(settings.ca_certificate.as_ref());
            let trusted = tls::trusted(own)?.into_iter();
            Some(
                SslOpts::default()
                    .with_root_certs(trusted.map(|der| der.to_vec().into()).collect())
                    .with_disable_built_in_roots(own.is_some())
                    .with_danger_tls_hostname_override(Some(server_name.to_owned())),
            )
        }
    };
    let options = OptsBuilder::default()
        .ip_or_hostname(server.host.clone())
        .tcp_port(server.port)
        .user(Some(login.username.clone()))
        .pass(Some(login.password.expose_secret()))
        .db_name(database)
        .ssl_opts(ssl)
        // Without these the driver asks the server for them, and for a socket to move over to.
        .prefer_socket(false)
        .max_allowed_packet(Some(16 << 20))
        .wait_timeout(Some(60))
        .stmt_cache_size(0);
    Ok(options.into())
}

/// The driver takes the provider of the process. Where there is none, rustls chooses, and panics in a program
/// with two of them.
fn choose_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error says that somebody else was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Lets go of a connection on which no answer comes. Where there is a runtime, the driver would start a task
/// that says goodbye, and wait for an answer for ever; a thread has none.
fn abandon<T: Send + 'static>(connection: T) {
    std::thread::spawn(move || drop(connection));
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.peer)
    }
}
