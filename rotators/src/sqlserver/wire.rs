//! The connection below the driver: TCP, and TLS as TDS 7 has it.
//!
//! Both sides begin with a PRELOGIN message. Where that settles on TLS, its handshake goes to and fro inside of
//! PRELOGIN packets, and from then on everything goes over TLS (MS-TDS 2.2.6.5 and 3.2.5.1). That is done here,
//! with this crate's own rules of trust. The driver, which would do it in its own way, is shown a server that
//! offers no encryption: its own first message ends here, and is answered with what the server has said.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::pki_types::ServerName;
use secrets_core::rotator::RotatorError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::Peer;
use super::prelogin::{self, ANSWER, Encryption, Greeted, HEADER, LONGEST_PACKET, PRELOGIN};
use crate::database::Tls;
use crate::tcp;
use crate::tls::{self, CaCertificates};

/// What a driver talks to.
pub(super) struct Wire {
    channel: Channel,
    /// How much of the driver's first message has come, and how long it is; None once it is over.
    greeting: Option<Vec<u8>>,
    /// What the driver has yet to read of the answer.
    answer: Vec<u8>,
}

enum Channel {
    Plain(TcpStream),
    Tls(Box<TlsStream<Wrapped>>),
}

impl Wire {
    /// Connects to the first address of the host that answers, and has TLS begin, unless the secret says that
    /// there is none. There is no way on without what it says.
    pub(super) async fn open(
        peer: &Peer,
        tls: &Tls,
        ca: Option<&CaCertificates>,
        deadline: Instant,
    ) -> Result<Self, RotatorError> {
        let verified = match tls {
            Tls::Plaintext => None,
            Tls::Verified {
                server_name,
                ca: own,
            } => {
                let name = server_name.as_deref().unwrap_or(&peer.host);
                tls::check_server_name(name)?;
                Some((name, tls::verifying_tls12(own.as_ref().or(ca))?))
            }
        };
        let mut stream = tcp::connect(&peer.host, peer.port, peer, deadline).await?;
        let wanted = match verified {
            Some(_) => Encryption::Always,
            None => Encryption::NotSupported,
        };
        let greeted = greet(&mut stream, wanted, peer).await?;
        let channel = match (verified, greeted.encryption) {
            (None, Encryption::NotSupported) => Channel::Plain(stream),
            (None, _) => {
                return Err(RotatorError::tls(format!(
                    "{peer} asks for TLS; remove `\"ssl\": false` from the secret"
                )));
            }
            (Some((name, config)), Encryption::Always | Encryption::Required) => {
                let name = ServerName::try_from(name.to_owned()).map_err(|_| tls::unusable())?;
                let connect = TlsConnector::from(config).connect(name, Wrapped::new(stream));
                let mut stream = connect.await.map_err(|fault| handshake(&fault, peer))?;
                stream.get_mut().0.unwrap();
                Channel::Tls(Box::new(stream))
            }
            (Some(_), _) => {
                return Err(RotatorError::tls(format!(
                    "{peer} offers no TLS; enable it there, or set `\"ssl\": false` in the secret to send \
                     passwords unprotected"
                )));
            }
        };
        Ok(Self {
            channel,
            greeting: Some(Vec::new()),
            answer: greeted.without_tls(),
        })
    }
}

/// Exchanges first messages.
async fn greet(
    stream: &mut TcpStream,
    wanted: Encryption,
    peer: &Peer,
) -> Result<Greeted, RotatorError> {
    let exchange = async {
        stream.write_all(&prelogin::greeting(wanted)).await?;
        let mut head = [0; HEADER];
        // Not a byte more: what a third party slips in before TLS must end up in its handshake.
        stream.read_exact(&mut head).await?;
        let Some((ANSWER, length @ ..=LONGEST_PACKET)) = prelogin::header(head) else {
            return Ok(None);
        };
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        Ok(prelogin::is_last(head).then_some(body))
    };
    let answer: io::Result<Option<Vec<u8>>> = exchange.await;
    let answer = answer.map_err(|_| peer.broken("before TLS began"))?;
    answer
        .and_then(Greeted::read)
        .ok_or_else(|| peer.not_understood())
}

fn handshake(fault: &io::Error, peer: &Peer) -> RotatorError {
    let inner = fault.get_ref();
    match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(fault) => tls::refusal(fault, peer),
        None if fault.kind() == io::ErrorKind::InvalidData => peer.not_understood(),
        None => peer.broken("while TLS began"),
    }
}

/// TCP below TLS: in PRELOGIN packets until the handshake is over.
struct Wrapped {
    stream: TcpStream,
    /// None: bytes go as they are.
    packets: Option<Packets>,
}

#[derive(Default)]
struct Packets {
    /// What the next flush sends, not in packets yet.
    unsent: Vec<u8>,
    /// Packets on their way.
    sending: Vec<u8>,
    /// The head of the packet that comes in.
    head: Vec<u8>,
    /// What is left of its body.
    left: usize,
}

impl Wrapped {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            packets: Some(Packets::default()),
        }
    }

    /// The handshake is over.
    fn unwrap(&mut self) {
        self.packets = None;
    }
}

impl Packets {
    fn wrap(&mut self) {
        let unsent = std::mem::take(&mut self.unsent);
        let mut bodies = unsent.chunks(LONGEST_PACKET - HEADER).peekable();
        let mut number = 0_u8;
        while let Some(body) = bodies.next() {
            number = number.wrapping_add(1);
            let is_last = bodies.peek().is_none();
            let packet = prelogin::packet(PRELOGIN, number, is_last, body);
            self.sending.extend_from_slice(&packet);
        }
    }

    fn poll_send(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wrap();
        while !self.sending.is_empty() {
            let sent = ready!(Pin::new(&mut *stream).poll_write(cx, &self.sending))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sending.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads the head of the next packet with a body, unless its body is being read.
    fn poll_head(
        &mut self,
        stream: &mut TcpStream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        while self.left == 0 {
            let mut rest = [0; HEADER];
            let mut buffer = ReadBuf::new(&mut rest[self.head.len()..]);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(false));
            }
            self.head.extend_from_slice(buffer.filled());
            if let Ok(head) = <[u8; HEADER]>::try_from(self.head.as_slice()) {
                let Some((PRELOGIN | ANSWER, length)) = prelogin::header(head) else {
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                };
                self.left = length;
                self.head.clear();
            }
        }
        Poll::Ready(Ok(true))
    }
}

impl AsyncRead for Wrapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, packets } = &mut *self;
        let Some(packets) = packets else {
            return Pin::new(stream).poll_read(cx, buffer);
        };
        ready!(packets.poll_send(stream, cx))?;
        if !ready!(packets.poll_head(stream, cx))? {
            return Poll::Ready(Ok(()));
        }
        // Not beyond this packet: what follows has a head of its own.
        let wanted = packets.left.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(wanted));
        ready!(Pin::new(stream).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        packets.left -= read;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.packets {
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
            Some(packets) => {
                packets.unsent.extend_from_slice(bytes);
                Poll::Ready(Ok(bytes.len()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, packets } = &mut *self;
        if let Some(packets) = packets {
            ready!(packets.poll_send(stream, cx))?;
        }
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Wire {
    /// Takes what belongs to the driver's first message.
    fn swallow(greeting: &mut Vec<u8>, bytes: &[u8]) -> usize {
        let wanted = match greeting.first_chunk::<HEADER>() {
            None => HEADER,
            Some(head) => HEADER + prelogin::header(*head).map_or(0, |(_, length)| length),
        };
        let taken = bytes.len().min(wanted - greeting.len());
        greeting.extend_from_slice(&bytes[..taken]);
        taken
    }

    fn is_whole(greeting: &[u8]) -> bool {
        let head = greeting.first_chunk::<HEADER>();
        let length = head.and_then(|head| prelogin::header(*head));
        length.is_some_and(|(_, length)| greeting.len() == HEADER + length)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.answer.is_empty() {
            let length = self.answer.len().min(buffer.remaining());
            let part: Vec<u8> = self.answer.drain(..length).collect();
            buffer.put_slice(&part);
            return Poll::Ready(Ok(()));
        }
        match &mut self.channel {
            Channel::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Channel::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(greeting) = &mut self.greeting {
            let taken = Self::swallow(greeting, bytes);
            if Self::is_whole(greeting) {
                self.greeting = None;
            }
            return Poll::Ready(Ok(taken));
        }
        match &mut self.channel {
            Channel::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Channel::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.channel {
            Channel::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Channel::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.channel {
            Channel::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Channel::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
