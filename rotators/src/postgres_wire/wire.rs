//! The TCP connection below a session, up to the point where TLS begins.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use secrets_core::rotator::RotatorError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::peer::Peer;
use crate::tcp;

/// Asks a server to speak TLS (`PostgreSQL` manual, "Message Formats", `SSLRequest`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// A connection whose shutdown lasts until the server has closed it, too.
///
/// A server counts a session until its process has ended. Where a role may have one session only, the
/// next login would be refused if this one did not wait.
pub(crate) struct Wire(TcpStream);

impl Wire {
    /// Connects to the first address of the host that answers.
    pub(crate) async fn open(peer: &Peer, deadline: Instant) -> Result<Self, RotatorError> {
        let stream = tcp::connect(&peer.host, peer.port, peer, deadline).await?;
        Ok(Self(stream))
    }

    /// Gets the server's word that TLS may begin. There is no way on without it.
    pub(crate) async fn request_tls(&mut self, peer: &Peer) -> Result<(), RotatorError> {
        let mut answer = [0];
        let exchange = async {
            self.0.write_all(&SSL_REQUEST).await?;
            // Not a byte more: what a third party slips in before TLS must end up in its handshake.
            self.0.read_exact(&mut answer).await
        };
        if exchange.await.is_err() {
            return Err(peer.broken("before TLS began"));
        }
        match answer[0] {
            b'S' => Ok(()),
            b'N' => Err(RotatorError::tls(format!(
                "{peer} offers no TLS; {}, or set `\"ssl\": false` in the secret to send passwords unprotected",
                peer.dialect.enable_tls
            ))),
            // An error message instead of an answer: no process for another connection.
            b'E' => Err(RotatorError::unreachable(format!(
                "{peer} takes no connections at the moment; try again later"
            ))),
            _ => Err(peer.not_this_server()),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll_shutdown(cx))?;
        let mut rest = [0; 256];
        loop {
            let mut buffer = ReadBuf::new(&mut rest);
            ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
