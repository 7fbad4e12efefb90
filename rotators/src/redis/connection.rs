//! A session: one login, and commands that each have a deadline.

use std::fmt;
use std::io;
use std::time::Duration;

use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use secrets_core::rotator::{Context, RotatorError};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::time::{Instant, timeout_at};

use super::credential::{Login, Node, Tls};
use super::error::{Peer, Role};
use super::resp::{self, Reply};
use super::settings::RedisSettings;
use crate::database::{self, NoStream, Stream};

/// What became of a login; wrong is a wrong password, an unknown user, or a disabled one.
pub(super) type Entry = database::Entry<Session>;

/// A session that lasts as long as the value.
pub(super) struct Session {
    stream: BufReader<Box<dyn Stream>>,
    peer: Peer,
    patience: Duration,
    deadline: Instant,
}

impl Session {
    /// Logs in, presenting the password once.
    pub(super) async fn open(
        node: &Node,
        tls: &Tls,
        (login, role): (&Login, Role),
        settings: &RedisSettings,
        cx: &Context,
    ) -> Result<Entry, RotatorError> {
        let node = node.clone();
        let peer = Peer { node, role };
        let deadline = cx.deadline().min(Instant::now() + settings.timeouts.login);
        let stream = connect(&peer, tls, settings, deadline).await?;
        let mut session = Self {
            stream: BufReader::new(stream),
            peer,
            patience: settings.timeouts.command,
            deadline,
        };
        let password = login.password.expose_secret();
        let answer = session.call(&["AUTH", &login.username, password]).await?;
        session.deadline = cx.deadline();
        match answer {
            Reply::Refused(refusal) => session.peer.at_login(refusal).map(|()| Entry::Wrong),
            _ => Ok(Entry::Open(session)),
        }
    }

    /// Where this session leads.
    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Sends a command and gives the answer.
    pub(super) async fn call(&mut self, command: &[&str]) -> Result<Reply, RotatorError> {
        let mut answers = self.call_all(&[command]).await?.into_iter();
        answers.next().ok_or_else(|| self.peer.not_redis())
    }

    /// Sends commands all at once, so that the server runs all of them whatever becomes of this process,
    /// and gives their answers.
    pub(super) async fn call_all(
        &mut self,
        commands: &[&[&str]],
    ) -> Result<Vec<Reply>, RotatorError> {
        let mut request = Zeroizing::default();
        for command in commands {
            resp::write(command, &mut request);
        }
        let stream = &mut self.stream;
        let exchange = async {
            stream.write_all(&request).await?;
            stream.flush().await?;
            let mut answers = Vec::with_capacity(commands.len());
            for _ in commands {
                answers.push(resp::read(stream).await?);
            }
            Ok::<_, io::Error>(answers)
        };
        let deadline = self.deadline.min(Instant::now() + self.patience);
        match timeout_at(deadline, exchange).await {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(fault)) if fault.kind() == io::ErrorKind::InvalidData => {
                Err(self.peer.not_redis())
            }
            Ok(Err(_)) => Err(self.peer.broken()),
            Err(_) => Err(self.peer.silent("did not answer")),
        }
    }
}

async fn connect(
    peer: &Peer,
    tls: &Tls,
    settings: &RedisSettings,
    deadline: Instant,
) -> Result<Box<dyn Stream>, RotatorError> {
    let Node { host, port } = &peer.node;
    let protection = (tls, settings.ca_certificate.as_ref());
    let stream = database::connect((host, *port), protection, peer, deadline).await;
    stream.map_err(|fault| match fault {
        NoStream::Fault(fault) => fault,
        NoStream::Closed => peer.broken(),
        NoStream::NoHandshake => peer.no_handshake(),
    })
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.peer)
    }
}
