//! What the adapters over `tokio-postgres` share.

use std::pin::Pin;

use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error, Socket};

/// A client, and the task that moves its bytes.
pub(crate) type Session = (Client, JoinHandle<()>);
type Connecting = Pin<Box<dyn Future<Output = Result<Session, Error>> + Send>>;

/// How to connect with a `T`: the types of TLS are left behind here.
pub(crate) type Connect<T> = Box<dyn Fn(&T) -> Connecting + Send + Sync>;

pub(crate) fn connect<T, M>(
    tls: M,
    config: impl Fn(&T) -> Config + Send + Sync + 'static,
) -> Connect<T>
where
    M: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    M::Stream: Send,
    M::TlsConnect: Send,
    <M::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    Box::new(move |login| {
        let (config, tls) = (config(login), tls.clone());
        Box::pin(async move {
            let (client, connection) = config.connect(tls).await?;
            let task = tokio::spawn(async move {
                if let Err(fault) = connection.await {
                    let code = fault.code().map(SqlState::code);
                    tracing::warn!(code, "a connection to PostgreSQL has ended");
                }
            });
            Ok((client, task))
        })
    })
}

/// Whether the server means by it that the user or the password is wrong.
///
/// Source: `PostgreSQL` manual, appendix A, class 28.
pub(crate) fn is_refusal(fault: &Error) -> bool {
    let code = fault.code();
    code == Some(&SqlState::INVALID_PASSWORD)
        || code == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}
