//! The TCP connection below a session, up to the point where TLS begins.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use secrets_core::rotator::RotatorError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::error::Peer;

/// Asks a server to speak TLS (`PostgreSQL` manual, "Message Formats", `SSLRequest`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// A connection whose shutdown lasts until the server has closed it, too.
///
/// A server counts a session until its process has ended. Where a role may have one session only, the
/// next login would be refused if this one did not wait.
pub(super) struct Wire(TcpStream);

impl Wire {
    /// Connects to the first address of the host that answers.
    pub(super) async fn open(peer: &Peer, deadline: Instant) -> Result<Self, RotatorError> {
        let resolve = lookup_host((peer.host.as_str(), peer.port));
        let addresses: Vec<SocketAddr> = match timeout_at(deadline, resolve).await {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(_)) => return Err(unresolved(peer)),
            Err(_) => return Err(peer.silent("gave no connection")),
        };
        let mut fault = unresolved(peer);
        for (tried, address) in addresses.iter().enumerate() {
            // What is left is shared out, so that an address that swallows everything does not use up
            // the time of the next one.
            let shares = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let share = deadline.saturating_duration_since(Instant::now()) / shares;
            let connect = TcpStream::connect(address);
            fault = match timeout_at(Instant::now() + share, connect).await {
                Ok(Ok(stream)) => {
                    // Small messages, each of which waits for its answer.
                    let _ = stream.set_nodelay(true);
                    return Ok(Self(stream));
                }
                Ok(Err(error)) => refused(peer, &error),
                Err(_) => peer.silent("gave no connection"),
            };
        }
        Err(fault)
    }

    /// Gets the server's word that TLS may begin. There is no way on without it.
    pub(super) async fn request_tls(&mut self, peer: &Peer) -> Result<(), RotatorError> {
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
                "{peer} offers no TLS; enable it there (`ssl = on`), or set `\"ssl\": false` in the secret \
                 to send passwords unprotected"
            ))),
            // An error message instead of an answer: no process for another connection.
            b'E' => Err(RotatorError::unreachable(format!(
                "{peer} takes no connections at the moment; try again later"
            ))),
            _ => Err(peer.not_postgres()),
        }
    }
}

fn unresolved(peer: &Peer) -> RotatorError {
    RotatorError::unreachable(format!(
        "the host of {peer} has no address; check `host`, and the name resolution of the function's VPC"
    ))
}

fn refused(peer: &Peer, error: &io::Error) -> RotatorError {
    RotatorError::unreachable(match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("{peer} refuses connections; check `host` and `port`, and that the server runs")
        }
        _ => format!(
            "no way to {peer}; check `host` and `port`, the security groups, and the routes of the \
             function's VPC"
        ),
    })
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
