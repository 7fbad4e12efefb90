//! A session: one login, and statements that each have a deadline.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret;
use secrets_core::rotator::{Context, RotatorError};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::credential::{Login, PostgresCredential, Tls};
use super::error::{Fault, Peer, SessionError};
use super::settings::PostgresSettings;
use super::sql::Sql;
use super::tls;
use super::wire::Wire;

/// How long the end of a session is waited for; it ends without that, only not yet.
const CLOSE: Duration = Duration::from_secs(1);

/// What became of a login.
pub(super) enum Entry {
    /// The server let the credential in.
    Open(Box<Session>),
    /// The server refused the credential as wrong (28P01): a wrong password, an unknown role, or one
    /// whose `VALID UNTIL` has passed.
    Wrong,
}

/// What a statement gave for one row; nothing is NULL.
pub(super) type Row = Vec<Option<String>>;

/// A session that lasts as long as the value.
pub(super) struct Session {
    client: Client,
    carrier: Carrier,
    peer: Peer,
    statement: Duration,
    deadline: Instant,
    /// Set when a statement got no answer: then the end of the session would get none either.
    silent: AtomicBool,
}

/// The task that moves a session's bytes; it ends with its value.
struct Carrier(JoinHandle<()>);

impl Drop for Carrier {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Session {
    /// Logs in, presenting the password once.
    pub(super) async fn open(
        server: &PostgresCredential,
        login: &Login,
        peer: Peer,
        settings: &PostgresSettings,
        cx: &Context,
    ) -> Result<Entry, RotatorError> {
        let deadline = cx.deadline().min(Instant::now() + settings.timeouts.login);
        let mut config = Config::new();
        config
            .user(&login.username)
            .password(login.password.expose_secret())
            .dbname(&server.database)
            .application_name("secret rotation");
        let entered = match &server.tls {
            Tls::Plaintext => {
                config.ssl_mode(SslMode::Disable);
                let wire = Wire::open(&peer, deadline).await?;
                enter(&config, wire, NoTls, &peer, deadline).await
            }
            Tls::Verified { server_name, ca } => {
                let server_name = server_name.as_deref().unwrap_or(&server.host);
                tls::check_server_name(server_name)?;
                let ca = ca.as_ref().or(settings.ca_certificate.as_ref());
                let mut connector = tls::connector(ca)?;
                let connect = MakeTlsConnect::<Wire>::make_tls_connect(&mut connector, server_name);
                let Ok(connect) = connect;
                let mut wire = Wire::open(&peer, deadline).await?;
                timeout_at(deadline, wire.request_tls(&peer))
                    .await
                    .unwrap_or_else(|_| Err(peer.silent("did not answer")))?;
                // The request was made just now: what is left for the driver is the handshake.
                config
                    .ssl_mode(SslMode::Require)
                    .ssl_negotiation(SslNegotiation::Direct);
                enter(&config, wire, connect, &peer, deadline).await
            }
        }?;
        Ok(match entered {
            None => Entry::Wrong,
            Some((client, carrier)) => Entry::Open(Box::new(Self {
                client,
                carrier,
                peer,
                statement: settings.timeouts.statement,
                deadline: cx.deadline(),
                silent: AtomicBool::new(false),
            })),
        })
    }

    /// Where this session leads.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Runs a statement; gives the first column of its first row, if it has one.
    pub(super) async fn run(&self, sql: &Sql) -> Result<Option<String>, SessionError> {
        let first = self.rows(sql).await?.into_iter().next();
        Ok(first.and_then(|row| row.into_iter().next().flatten()))
    }

    /// Runs a statement; gives its rows as texts.
    pub(super) async fn rows(&self, sql: &Sql) -> Result<Vec<Row>, SessionError> {
        let deadline = self.deadline.min(Instant::now() + self.statement);
        let answer = timeout_at(deadline, self.client.simple_query(sql.expose()));
        let messages = match answer.await {
            Ok(Ok(messages)) => messages,
            Ok(Err(fault)) => return Err(SessionError::new(&fault, &self.peer)),
            Err(_) => {
                self.silent.store(true, Ordering::Relaxed);
                return Err(SessionError::Broken(self.peer.silent("did not answer")));
            }
        };
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let texts = rows.map(|row| {
            let texts = (0..row.len()).map(|column| row.try_get(column).ok().flatten());
            texts.map(|text| text.map(str::to_owned)).collect()
        });
        Ok(texts.collect())
    }

    /// Makes the session take names from the system catalogue only, so that no object of somebody else's
    /// runs with its rights; lets it write where the role's settings say that it shall not; and gives each
    /// statement the time that it is waited for, which the server then does not exceed either.
    pub(super) async fn make_safe(&self) -> Result<(), SessionError> {
        let patience = i64::try_from(self.statement.as_millis()).unwrap_or(i64::MAX);
        let sql =
            Sql::new("SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false), ")
                .text("pg_catalog.set_config('default_transaction_read_only', 'off', false), ")
                .text("pg_catalog.set_config('statement_timeout', '")
                .number(patience.clamp(1, 600_000))
                .text("', false)");
        self.run(&sql).await.map(drop)
    }

    /// Ends the session and waits, within bounds, until the server no longer counts it.
    pub(super) async fn close(self) {
        let Self {
            client,
            mut carrier,
            silent,
            deadline,
            ..
        } = self;
        drop(client);
        if !silent.into_inner() {
            let enough = deadline.min(Instant::now() + CLOSE);
            let _ = timeout_at(enough, &mut carrier.0).await;
        }
    }
}

/// TLS handshake and login. None: the credential is wrong.
async fn enter<T>(
    config: &Config,
    wire: Wire,
    tls: T,
    peer: &Peer,
    deadline: Instant,
) -> Result<Option<(Client, Carrier)>, RotatorError>
where
    T: TlsConnect<Wire>,
    T::Stream: Send + 'static,
{
    match timeout_at(deadline, config.connect_raw(wire, tls)).await {
        Ok(Ok((client, connection))) => {
            let carrier = tokio::spawn(async {
                // Its end shows at the client, in the statement under way.
                let _ = connection.await;
            });
            Ok(Some((client, Carrier(carrier))))
        }
        Ok(Err(fault)) => Fault::of(&fault).at_login(peer, config.get_ssl_mode()),
        Err(_) => Err(peer.silent("did not let us in")),
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.peer)
    }
}
