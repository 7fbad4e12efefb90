//! Connections with TLS or without: what our own clients have in common.

use rustls::pki_types::ServerName;
use secrets_core::rotator::RotatorError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::database::Tls;
use crate::tcp;
use crate::tls::{self, CaCertificates};

/// A connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// Why there is none.
pub(crate) enum NoStream {
    /// In words.
    Told(RotatorError),
    /// The server hung up during the handshake.
    Broken,
    /// The server did not answer to the handshake in time.
    Silent,
}

/// Connects, with TLS unless the secret says otherwise; `ca` is trusted where the secret has none of its own.
pub(crate) async fn open(
    (host, port): (&str, u16),
    tls: &Tls,
    ca: Option<&CaCertificates>,
    peer: &tcp::Peer,
    deadline: Instant,
) -> Result<Box<dyn Stream>, NoStream> {
    let connect = async || tcp::connect(host, port, peer, deadline).await;
    let Tls::Verified {
        server_name,
        ca: own,
    } = tls
    else {
        return Ok(Box::new(connect().await.map_err(NoStream::Told)?));
    };
    let name = server_name.as_deref().unwrap_or(host);
    tls::check_server_name(name).map_err(NoStream::Told)?;
    let name = ServerName::try_from(name.to_owned()).map_err(|_| NoStream::Broken)?;
    let config = tls::verifying(own.as_ref().or(ca)).map_err(NoStream::Told)?;
    let stream = connect().await.map_err(NoStream::Told)?;
    let handshake = TlsConnector::from(config).connect(name, stream);
    match timeout_at(deadline, handshake).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(fault)) => Err(match fault.get_ref().and_then(|it| it.downcast_ref()) {
            Some(fault) => NoStream::Told(tls::refusal(fault, peer)),
            None => NoStream::Broken,
        }),
        Err(_) => Err(NoStream::Silent),
    }
}
