//! Logins by AMQP 0-9-1 without TLS: what applications do, and no code under test.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::RabbitMqServer;
use crate::port;

/// A connection with an open virtual host.
#[derive(Debug)]
pub struct Session(TcpStream);

impl RabbitMqServer {
    /// Logs in and opens a virtual host; else the broker's code (403: the login, 530: the host).
    ///
    /// # Panics
    /// If the broker does not answer.
    pub async fn log_in(
        &self,
        username: &str,
        password: &str,
        vhost: &str,
    ) -> Result<Session, u16> {
        let stream = TcpStream::connect(port::local(self.amqp_port())).await;
        let stream = stream.expect("the broker listens");
        // Small messages, each of which waits for its answer.
        stream.set_nodelay(true).expect("a socket");
        let mut session = Session(stream);
        session.send_raw(b"AMQP\x00\x00\x09\x01").await;
        session.expect(10).await?;
        let mut start = vec![0, 10, 0, 11];
        // One property of the client: it wants to be told of a refused login.
        let mut capability = short("authentication_failure_close");
        capability.extend(b"t\x01");
        let mut capabilities = short("capabilities");
        capabilities.push(b'F');
        capabilities.extend(long(&capability));
        start.extend(long(&capabilities));
        start.extend(short("PLAIN"));
        start.extend(long(format!("\0{username}\0{password}").as_bytes()));
        start.extend(short("en_US"));
        session.send(0, &start).await;
        // The broker's limits, and no heartbeats.
        let limits = session.expect(30).await?;
        let accepted = [&[0, 10, 0, 31], &limits[..6], &[0, 0]].concat();
        session.send(0, &accepted).await;
        let mut open = vec![0, 10, 0, 40];
        open.extend(short(vhost));
        open.extend([0, 0]);
        session.send(0, &open).await;
        session.expect(41).await?;
        Ok(session)
    }
}

impl Session {
    /// Opens a channel and closes it again: whether the connection still serves.
    pub async fn is_served(&mut self) -> bool {
        self.send(1, &[0, 20, 0, 10, 0]).await;
        let opened = self.expect(11).await.is_ok();
        self.send(1, &[0, 20, 0, 40, 0, 0, 0, 0, 0, 0, 0]).await;
        opened && self.expect(41).await.is_ok()
    }

    async fn send_raw(&mut self, bytes: &[u8]) {
        // A broker that hangs up is noticed when it is read from.
        let _ = self.0.write_all(bytes).await;
    }

    async fn send(&mut self, channel: u16, method: &[u8]) {
        let mut frame = vec![1];
        frame.extend(channel.to_be_bytes());
        frame.extend(long(method));
        frame.push(0xCE);
        self.send_raw(&frame).await;
    }

    /// The next frame must hold this method, whose arguments are given; the code where it is `close`
    /// instead, 0 where there is none.
    async fn expect(&mut self, method: u16) -> Result<Vec<u8>, u16> {
        let mut head = [0; 7];
        self.0.read_exact(&mut head).await.map_err(|_| 0_u16)?;
        let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
        let mut body = vec![0; usize::try_from(length).expect("64 bits") + 1];
        self.0.read_exact(&mut body).await.map_err(|_| 0_u16)?;
        let number = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        if number(2) == method {
            return Ok(body.split_off(4));
        }
        assert_eq!(number(2), 50, "an unexpected answer of the broker");
        Err(number(4))
    }
}

fn short(text: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.len()).expect("a short text")];
    bytes.extend(text.as_bytes());
    bytes
}

fn long(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("a text");
    [&length.to_be_bytes(), text].concat()
}
