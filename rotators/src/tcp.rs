//! Connecting to servers: what the rotators of databases have in common.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;

use secrets_core::rotator::RotatorError;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::database::silent;

/// A server as it is called in errors.
pub(crate) type Peer = dyn Display + Sync;

/// Connects to the first address of the host that answers.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    peer: &Peer,
    deadline: Instant,
) -> Result<TcpStream, RotatorError> {
    let addresses: Vec<SocketAddr> = match timeout_at(deadline, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) => return Err(unresolved(peer)),
        Err(_) => return Err(silent(peer, "gave no connection")),
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
                return Ok(stream);
            }
            Ok(Err(error)) => refused(peer, &error),
            Err(_) => silent(peer, "gave no connection"),
        };
    }
    Err(fault)
}

pub(crate) fn unresolved(peer: &Peer) -> RotatorError {
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
