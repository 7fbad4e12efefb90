//! A session: one login, and statements that each have a deadline.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret;
use secrets_core::rotator::{Context, RotatorError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::digest::{Answering, Digest};
use super::fault::{Fault, SessionError};
use super::peer::{Dialect, Peer, Role};
use super::sql::Sql;
use super::tls::{self, CaCertificates};
use super::wire::Wire;
use crate::database::{self, Login, Timeouts, Tls};

/// How long the end of a session is waited for; it ends without that, only not yet.
const CLOSE: Duration = Duration::from_secs(1);

/// What became of a login; wrong is a wrong password, an unknown role, or one whose `VALID UNTIL` has passed.
pub(crate) type Entry = database::Entry<Box<Session>>;

/// Where a session leads.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) database: &'a str,
    pub(crate) tls: &'a Tls,
    pub(crate) dialect: &'static Dialect,
}

/// What holds for every session of a function.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) timeouts: Timeouts,
    /// Trusted instead of the built-in authorities, unless the secret has its own.
    pub(crate) ca: Option<&'a CaCertificates>,
}

/// What a statement gave for one row; nothing is NULL.
pub(crate) type Row = Vec<Option<String>>;

/// A session that lasts as long as the value.
pub(crate) struct Session {
    client: Client,
    carrier: Carrier,
    peer: Peer,
    statement: Duration,
    deadline: Instant,
    /// Set when a statement got no answer: then the end of the session would get none either.
    silent: AtomicBool,
    #[cfg_attr(
        not(feature = "redshift"),
        expect(dead_code, reason = "asked elsewhere")
    )]
    asked_for_digest: bool,
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
    pub(crate) async fn open(
        place: Place<'_>,
        login: &Login,
        role: Role,
        terms: Terms<'_>,
        cx: &Context,
    ) -> Result<Entry, RotatorError> {
        let peer = Peer {
            host: place.host.to_owned(),
            port: place.port,
            role,
            dialect: place.dialect,
        };
        let deadline = cx.deadline().min(Instant::now() + terms.timeouts.login);
        let mut config = Config::new();
        config
            .user(&login.username)
            .password(login.password.expose_secret())
            .dbname(place.database)
            .application_name("secret rotation");
        let asked_for_digest = Arc::new(AtomicBool::new(false));
        let entered = match place.tls {
            Tls::Plaintext => {
                config.ssl_mode(SslMode::Disable);
                let wire = Wire::open(&peer, deadline).await?;
                if peer.dialect.asks_for_digests {
                    let wire = Digest::new(wire, &login.password, &asked_for_digest);
                    enter(&config, wire, NoTls, &peer, deadline).await
                } else {
                    enter(&config, wire, NoTls, &peer, deadline).await
                }
            }
            Tls::Verified { server_name, ca } => {
                let server_name = server_name.as_deref().unwrap_or(place.host);
                tls::check_server_name(server_name)?;
                let ca = ca.as_ref().or(terms.ca);
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
                if peer.dialect.asks_for_digests {
                    let connect = Answering::new(connect, &login.password, &asked_for_digest);
                    enter(&config, wire, connect, &peer, deadline).await
                } else {
                    enter(&config, wire, connect, &peer, deadline).await
                }
            }
        }?;
        Ok(match entered {
            None => Entry::Wrong,
            Some((client, carrier)) => Entry::Open(Box::new(Self {
                client,
                carrier,
                peer,
                statement: terms.timeouts.statement,
                deadline: cx.deadline(),
                silent: AtomicBool::new(false),
                asked_for_digest: asked_for_digest.load(Ordering::Relaxed),
            })),
        })
    }

    /// Where this session leads.
    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Runs a statement; gives the first column of its first row, if it has one.
    pub(crate) async fn run(&self, sql: &Sql) -> Result<Option<String>, SessionError> {
        let first = self.rows(sql).await?.into_iter().next();
        Ok(first.and_then(|row| row.into_iter().next().flatten()))
    }

    /// Runs a statement; gives its rows as texts.
    pub(crate) async fn rows(&self, sql: &Sql) -> Result<Vec<Row>, SessionError> {
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

    /// How long a statement is waited for, in milliseconds, as servers take it (`statement_timeout`).
    pub(crate) fn statement_timeout(&self) -> i64 {
        let patience = i64::try_from(self.statement.as_millis()).unwrap_or(i64::MAX);
        patience.clamp(1, 600_000)
    }

    /// Whether the server keeps the password as a SHA-256 digest of Amazon Redshift's kind.
    #[cfg(feature = "redshift")]
    pub(crate) fn asked_for_digest(&self) -> bool {
        self.asked_for_digest
    }

    /// Ends the session and waits, within bounds, until the server no longer counts it.
    pub(crate) async fn close(self) {
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
async fn enter<S, T>(
    config: &Config,
    wire: S,
    tls: T,
    peer: &Peer,
    deadline: Instant,
) -> Result<Option<(Client, Carrier)>, RotatorError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsConnect<S>,
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
