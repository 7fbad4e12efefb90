//! A connection before and after TLS has begun: in TDS 7 its handshake goes inside of PRELOGIN packets
//! (MS-TDS 3.3.5.2).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::packet::{HEADER, PRELOGIN};

/// The server's end of TCP; what TLS reads and writes is in packets until [`bare`](Self::bare).
pub(super) struct Wrapped {
    stream: TcpStream,
    is_bare: bool,
    /// Read from the client, without headers; and what has come of the next header.
    body: Vec<u8>,
    raw: Vec<u8>,
    /// To be sent: what TLS wrote since the last flush, and the packets on their way.
    written: Vec<u8>,
    sending: Vec<u8>,
}

impl Wrapped {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            is_bare: false,
            body: Vec::new(),
            raw: Vec::new(),
            written: Vec::new(),
            sending: Vec::new(),
        }
    }

    /// The handshake is over once the client knows so, too: what waits to be sent still goes in a packet.
    pub(super) fn bare(&mut self) {
        assert!(self.body.is_empty() && self.raw.is_empty(), "too early");
        assert!(self.written.is_empty() && self.sending.is_empty(), "unsent");
        self.is_bare = true;
    }

    fn unwrap_packet(&mut self) -> io::Result<()> {
        let Some(head) = self.raw.first_chunk::<HEADER>() else {
            return Ok(());
        };
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if head[0] != PRELOGIN || length <= HEADER {
            return Err(io::Error::other("no handshake inside of PRELOGIN"));
        }
        if self.raw.len() >= length {
            self.body.extend(self.raw.drain(..length).skip(HEADER));
        }
        Ok(())
    }
}

impl AsyncRead for Wrapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_bare {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        while self.body.is_empty() {
            let mut bytes = [0; 4096];
            // No further than the end of a packet: what follows may be TLS without one.
            let wanted = match self.raw.first_chunk::<HEADER>() {
                None => HEADER - self.raw.len(),
                Some(head) => {
                    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
                    length.saturating_sub(self.raw.len()).clamp(1, 4096)
                }
            };
            let mut read = ReadBuf::new(&mut bytes[..wanted]);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.raw.extend_from_slice(read.filled());
            self.unwrap_packet()?;
        }
        let length = self.body.len().min(buffer.remaining());
        let part: Vec<u8> = self.body.drain(..length).collect();
        buffer.put_slice(&part);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_bare {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        }
        self.written.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let written = std::mem::take(&mut this.written);
        let mut bodies = written.chunks(4000).peekable();
        while let Some(body) = bodies.next() {
            let length = u16::try_from(body.len() + HEADER).expect("a packet");
            let [high, low] = length.to_be_bytes();
            let is_last = u8::from(bodies.peek().is_none());
            this.sending
                .extend([PRELOGIN, is_last, high, low, 0, 0, 1, 0]);
            this.sending.extend_from_slice(body);
        }
        while !this.sending.is_empty() {
            let sent = ready!(Pin::new(&mut this.stream).poll_write(cx, &this.sending))?;
            this.sending.drain(..sent);
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
