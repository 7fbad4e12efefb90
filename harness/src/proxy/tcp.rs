//! A proxy for connections of any protocol, such as a database's.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use super::script::{Fault, Hook, Script};
use crate::port;

/// What happens to a connection at its fault.
#[derive(Clone, Debug)]
pub enum TcpAction {
    /// Nothing more goes through, in either direction, and the connection stays open.
    Hang,
    /// The connection is closed.
    Drop,
    /// The hook runs, then the bytes go on.
    Call(Hook),
    /// The hook runs, then the connection is closed.
    CallAndDrop(Hook),
}

/// What happens to new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpMode {
    /// They reach the upstream.
    Forward,
    /// They are accepted and never get a byte.
    Silent,
    /// They are refused: nothing listens on the port.
    Refuse,
}

/// The proxy; its connections end on drop.
///
/// It counts chunks, over all connections. A chunk is what one read from a client gives: with
/// protocols in which the client waits for each answer, one message or one flight of them. A fault
/// `Before` chunk `n` strikes when the upstream has not seen it; a fault `After` it strikes when
/// the upstream's next bytes on that connection have come, and withholds them.
#[derive(Debug)]
pub struct TcpProxy {
    port: u16,
    shared: Arc<Shared>,
    /// Accepts connections; none while they are refused.
    acceptor: Mutex<Option<JoinHandle<Infallible>>>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    script: Script<TcpAction, ()>,
    silent: AtomicBool,
    /// A new value ends all connections.
    cut: watch::Sender<()>,
}

impl TcpProxy {
    /// Starts a proxy in front of that host (an IP address) and port.
    ///
    /// # Panics
    /// If the host is not an IP address.
    pub async fn start(host: &str, port: u16) -> Self {
        let host = host.parse().expect("an IP address");
        let proxy = Self {
            port: port::free(),
            shared: Arc::new(Shared {
                upstream: SocketAddr::new(host, port),
                script: Script::new(),
                silent: AtomicBool::new(false),
                cut: watch::Sender::new(()),
            }),
            acceptor: Mutex::default(),
        };
        proxy.set_mode(TcpMode::Forward).await;
        proxy
    }

    /// The address for clients: 127.0.0.1.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port for clients; it stays the same in every mode.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What happens to new connections from now on; those that exist go on.
    ///
    /// # Panics
    /// If another process has taken the port while connections were refused.
    pub async fn set_mode(&self, mode: TcpMode) {
        let silent = mode == TcpMode::Silent;
        self.shared.silent.store(silent, Ordering::SeqCst);
        let mut acceptor = self.acceptor.lock().await;
        if mode == TcpMode::Refuse {
            if let Some(task) = acceptor.take() {
                task.abort();
                // Only when the task has ended is its listener closed.
                let _ = task.await;
            }
        } else if acceptor.is_none() {
            let listener = TcpListener::bind(port::local(self.port)).await;
            let listener = listener.expect("the port is still free");
            *acceptor = Some(tokio::spawn(accept(listener, Arc::clone(&self.shared))));
        }
    }

    /// Closes all connections that exist.
    pub fn cut(&self) {
        self.shared.cut.send_replace(());
    }

    /// A fault for exactly that chunk.
    pub fn fault_at(&self, chunk: usize, fault: Fault<TcpAction>) {
        self.shared.script.fault_at(chunk, fault);
    }

    /// A fault for that chunk and every later one, until it is cleared. [`fault_at`] goes first.
    ///
    /// [`fault_at`]: Self::fault_at
    pub fn fault_from(&self, chunk: usize, fault: Fault<TcpAction>) {
        self.shared.script.fault_from(chunk, fault);
    }

    /// No more faults. The chunks are still counted.
    pub fn clear_faults(&self) {
        self.shared.script.clear_faults();
    }

    /// No more faults, and the next chunk is the first.
    pub fn reset(&self) {
        self.shared.script.reset();
    }

    /// How many chunks clients have sent since the start or the last reset.
    pub fn chunks(&self) -> usize {
        self.shared.script.records().len()
    }

    /// Waits until that many chunks have come.
    pub async fn reached(&self, chunks: usize) {
        self.shared.script.reached(chunks).await;
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.cut();
        if let Some(task) = self.acceptor.get_mut() {
            task.abort();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) -> Infallible {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        let shared = Arc::clone(&shared);
        let mut cut = shared.cut.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = carry(client, &shared) => {}
                _ = cut.changed() => {}
            }
        });
    }
}

/// Carries a connection to its end.
async fn carry(mut client: TcpStream, shared: &Shared) {
    if shared.silent.load(Ordering::SeqCst) {
        // Bytes are taken and forgotten, so that a client that goes away is noticed.
        let _ = tokio::io::copy(&mut client, &mut tokio::io::sink()).await;
        return;
    }
    let Ok(server) = TcpStream::connect(shared.upstream).await else {
        return;
    };
    // An error is an end that went away; then the other one is closed, too.
    let _ = Box::pin(carry_chunks(client, server, shared)).await;
}

async fn carry_chunks(
    mut client: TcpStream,
    mut server: TcpStream,
    shared: &Shared,
) -> std::io::Result<()> {
    // Chunks are messages of the protocol: none may wait for the next one.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut from_server) = (vec![0; 65_536], vec![0; 65_536]);
    let mut client_sends = true;
    let mut after: Option<TcpAction> = None;
    loop {
        tokio::select! {
            // Answers first: those to earlier chunks must not be taken for the answer to this one.
            biased;
            length = server.read(&mut from_server) => {
                let length = length?;
                if length == 0 {
                    return Ok(());
                }
                if let Some(action) = after.take()
                    && perform(&action).await == Next::Close
                {
                    return Ok(());
                }
                client.write_all(&from_server[..length]).await?;
            }
            length = client.read(&mut from_client), if client_sends => {
                let length = length?;
                if length == 0 {
                    client_sends = false;
                    server.shutdown().await?;
                    continue;
                }
                match shared.script.next(()) {
                    Some(Fault::Before(action)) if perform(&action).await == Next::Close => {
                        return Ok(());
                    }
                    Some(Fault::After(action)) => after = Some(action),
                    _ => {}
                }
                server.write_all(&from_client[..length]).await?;
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    Close,
}

async fn perform(action: &TcpAction) -> Next {
    match action {
        TcpAction::Hang => std::future::pending().await,
        TcpAction::Drop => Next::Close,
        TcpAction::Call(hook) => {
            hook.run().await;
            Next::GoOn
        }
        TcpAction::CallAndDrop(hook) => {
            hook.run().await;
            Next::Close
        }
    }
}
