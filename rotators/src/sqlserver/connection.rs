//! A session: one login, and statements that each have a deadline.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use secrecy::ExposeSecret;
use secrets_core::rotator::{Context, RotatorError, Verdict};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Row};
use tokio::time::{Instant, timeout_at};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};
use tracing::Dispatch;
use tracing::instrument::{WithDispatch, WithSubscriber};

use super::credential::{Login, SqlServerCredential};
use super::error::{Peer, Role, SessionError, at_login};
use super::settings::SqlServerSettings;
use super::sql::{Ident, Sql};
use super::wire::Wire;
use crate::database;

/// How long the end of a session is waited for; it ends without that, only not yet.
const CLOSE: Duration = Duration::from_secs(1);

/// Where admins log in: who may log in may enter it.
const MASTER: &str = "master";

/// What became of a login; wrong (18456) is a wrong password, or no such login.
pub(super) type Entry = database::Entry<Box<Session>>;

/// A session that lasts as long as the value.
pub(super) struct Session {
    /// None once a statement got no answer.
    client: Option<Client<Compat<Wire>>>,
    peer: Peer,
    statement: Duration,
    deadline: Instant,
}

/// One line of an answer: texts and whole numbers, by the names of their columns.
pub(super) struct Record(Row);

impl Session {
    /// Logs in, presenting the password once. An admin's session begins in `master`.
    pub(super) async fn open(
        server: &SqlServerCredential,
        login: &Login,
        role: Role,
        settings: &SqlServerSettings,
        cx: &Context,
    ) -> Result<Entry, RotatorError> {
        let peer = Peer {
            host: server.host.clone(),
            port: server.port,
            role,
        };
        let deadline = cx.deadline().min(Instant::now() + settings.timeouts.login);
        let ca = settings.ca_certificate.as_ref();
        let opening = Box::pin(Wire::open(&peer, &server.tls, ca, deadline));
        let wire = timeout_at(deadline, opening).await;
        let wire = wire.map_err(|_| peer.silent("did not answer"))??;
        let connecting = Client::connect(config(server, login, role), wire.compat());
        match timeout_at(deadline, quiet(connecting)).await {
            Ok(Ok(client)) => Ok(Entry::Open(Box::new(Self {
                client: Some(client),
                peer,
                statement: settings.timeouts.statement,
                deadline: cx.deadline(),
            }))),
            Ok(Err(fault)) => at_login(&fault, &peer).map(|()| Entry::Wrong),
            Err(_) => Err(peer.silent("did not let us in")),
        }
    }

    /// Where this session leads.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Goes into a database.
    pub(super) async fn enter(&mut self, database: &str) -> Result<(), SessionError> {
        self.run(&Sql::new("USE ").ident(Ident(database))).await
    }

    /// Runs a statement whose answer does not matter.
    pub(super) async fn run(&mut self, sql: &Sql) -> Result<(), SessionError> {
        self.records(sql).await.map(drop)
    }

    /// Runs a statement and gives its answer.
    pub(super) async fn records(&mut self, sql: &Sql) -> Result<Vec<Record>, SessionError> {
        let Some(mut client) = self.client.take() else {
            return Err(SessionError::Broken(self.peer.silent("did not answer")));
        };
        let deadline = self.deadline.min(Instant::now() + self.statement);
        let asking = async {
            let stream = client.simple_query(sql.expose()).await?;
            stream.into_first_result().await
        };
        let Ok(answer) = timeout_at(deadline, quiet(asking)).await else {
            return Err(SessionError::Broken(self.peer.silent("did not answer")));
        };
        match answer {
            Ok(rows) => {
                self.client = Some(client);
                Ok(rows.into_iter().map(Record).collect())
            }
            Err(fault) => {
                let fault = SessionError::new(&fault, &self.peer);
                if matches!(fault, SessionError::Refused(_)) {
                    self.client = Some(client);
                }
                Err(fault)
            }
        }
    }

    /// Whether the session that was let in does something, too. Ends it.
    pub(super) async fn works(mut self: Box<Self>) -> Result<Verdict, RotatorError> {
        let answer = self.run(&Sql::new("SELECT 1 AS one")).await;
        let answer = answer.map_err(|fault| fault.of_statement(&self.peer));
        self.close().await;
        answer.map(|()| Verdict::Accepted)
    }

    /// Ends the session, within bounds.
    pub(super) async fn close(self) {
        if let Some(client) = self.client {
            let enough = self.deadline.min(Instant::now() + CLOSE);
            let _ = timeout_at(enough, quiet(client.close())).await;
        }
    }
}

/// The driver hands the server's words to `tracing`, and they quote statements: nobody is to hear them.
///
/// Its futures are large, and would be part of every one above them: so they are boxed.
fn quiet<F: Future>(driver: F) -> WithDispatch<Pin<Box<F>>> {
    Box::pin(driver).with_subscriber(Dispatch::none())
}

impl Record {
    /// The text in this column; None where there is no such column, or nothing in it.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        let text = self.0.try_get::<&str, _>(column).ok().flatten();
        text.map(str::to_owned)
    }

    /// The whole number in this column (`int`).
    pub(super) fn number(&self, column: &str) -> Option<i32> {
        self.0.try_get::<i32, _>(column).ok().flatten()
    }
}

fn config(server: &SqlServerCredential, login: &Login, role: Role) -> Config {
    let database = match role {
        Role::Own => server.database.as_str(),
        Role::Admin => MASTER,
    };
    let mut config = Config::new();
    config.host(&server.host);
    config.port(server.port);
    config.database(database);
    config.application_name("secret rotation");
    config.authentication(AuthMethod::sql_server(
        &login.username,
        login.password.expose_secret(),
    ));
    // TLS is below the driver, and so are the deadlines.
    config.encryption(EncryptionLevel::NotSupported);
    config.handshake_timeout(None);
    config.command_timeout(None);
    config
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.peer)
    }
}
