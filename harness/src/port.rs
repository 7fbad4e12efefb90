//! Ports that no client connection takes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::random;

/// Below the range from which Linux gives ports to outgoing connections (from 32768 on): a server
/// that stops and starts again finds its port still free.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// A port of 127.0.0.1 on which nothing listened a moment ago.
pub(crate) fn free() -> u16 {
    let width = u64::from(PORTS.end - PORTS.start);
    (0..200)
        .map(|_| {
            let offset = u16::try_from(random::number() % width).expect("below the width");
            PORTS.start + offset
        })
        .find(|&port| TcpListener::bind(local(port)).is_ok())
        .expect("200 ports tried at random, none was free")
}

/// The port on which `launch` has started the server. It gets other ports for as long as another
/// process takes the port between the choice and the start.
///
/// # Panics
/// If the server does not start for another reason; the message holds its output.
pub(crate) async fn first_free(
    server: &str,
    launch: impl AsyncFn(u16) -> Result<(), String>,
) -> u16 {
    for _ in 0..10 {
        let port = free();
        match launch(port).await {
            Ok(()) => return port,
            Err(output) if output.contains("Address already in use") => {}
            Err(output) => panic!("{server} did not start:\n{output}"),
        }
    }
    panic!("ten ports tried for {server}, each was taken by another process")
}

/// The port on 127.0.0.1.
pub(crate) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
