//! Connections with TLS or without, for clients that are our own.

use std::fmt::Display;

use rustls::pki_types::ServerName;
use secrets_core::rotator::RotatorError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::Tls;
use crate::tls::CaCertificates;
use crate::{tcp, tls};

/// A connection, with TLS or without.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// Why there is none.
pub(crate) enum NoStream {
    /// Said already.
    Fault(RotatorError),
    /// The server hung up in the handshake.
    Closed,
    /// The server did not take part in a handshake in time.
    NoHandshake,
}

/// Connects, and with TLS verifies who answers; `ca` is trusted where the secret names no authorities.
pub(crate) async fn connect(
    (host, port): (&str, u16),
    (protection, ca): (&Tls, Option<&CaCertificates>),
    peer: &(dyn Display + Sync + 'static),
    deadline: Instant,
) -> Result<Box<dyn Stream>, NoStream> {
    let Tls::Verified {
        server_name,
        ca: own,
    } = protection
    else {
        return Ok(Box::new(tcp::connect(host, port, peer, deadline).await?));
    };
    let name = server_name.as_deref().unwrap_or(host);
    tls::check_server_name(name)?;
    let name = ServerName::try_from(name.to_owned()).map_err(|_| NoStream::Closed)?;
    let connector = TlsConnector::from(tls::verifying(own.as_ref().or(ca))?);
    let stream = tcp::connect(host, port, peer, deadline).await?;
    match timeout_at(deadline, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(fault)) => Err(match fault.get_ref().and_then(|it| it.downcast_ref()) {
            Some(fault) => NoStream::Fault(tls::refusal(fault, peer)),
            None => NoStream::Closed,
        }),
        Err(_) => Err(NoStream::NoHandshake),
    }
}

impl From<RotatorError> for NoStream {
    fn from(fault: RotatorError) -> Self {
        Self::Fault(fault)
    }
}
