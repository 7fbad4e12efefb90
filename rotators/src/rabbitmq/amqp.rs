//! A login by AMQP 0-9-1, and nothing more: the least that tells a right password from a wrong one.
//!
//! Greeting, `start`, `start-ok` with SASL PLAIN, and the broker's answer: `tune`, or `close` with 403. No
//! virtual host is opened, so that a login counts against no limit of connections of the user. The broker
//! logs that the client hung up. Layout of frames and methods: AMQP 0-9-1, sections 2.3.5 and 1.4.

use std::io;

use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use secrets_core::rotator::{Context, RotatorError, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::credential::{Login, RabbitMqCredential};
use super::error::Broker;
use super::settings::RabbitMqSettings;
use crate::database::{self, NoStream, Stream};

const GREETING: &[u8] = b"AMQP\x00\x00\x09\x01";

/// No longer frame comes before the limits are agreed upon; real ones have some 500 bytes.
const LONGEST: usize = 128 * 1024;

/// The reply code of a refused login, `access-refused`.
pub(super) const ACCESS_REFUSED: u16 = 403;

const CONNECTION: u16 = 10;
const START: u16 = 10;
const START_OK: u16 = 11;
const TUNE: u16 = 30;
const CLOSE: u16 = 50;

/// Logs in, presenting the password once, and hangs up. Rejected is a wrong password, or no such user.
pub(super) async fn log_in(
    user: &RabbitMqCredential,
    settings: &RabbitMqSettings,
    cx: &Context,
) -> Result<Verdict, RotatorError> {
    let broker = Broker {
        host: user.host.clone(),
        port: user.port,
    };
    let deadline = cx.deadline().min(Instant::now() + settings.timeouts.login);
    let protection = (&user.tls, settings.ca_certificate.as_ref());
    let stream = database::connect((&user.host, user.port), protection, &broker, deadline).await;
    let stream = stream.map_err(|fault| match fault {
        NoStream::Fault(fault) => fault,
        NoStream::Closed => broker.broken(),
        NoStream::NoHandshake => broker.no_handshake(),
    })?;
    match timeout_at(deadline, talk(stream, &user.login)).await {
        Err(_) => Err(broker.silent("did not answer to a login")),
        Ok(Err(fault)) if fault.kind() == io::ErrorKind::InvalidData => Err(broker.not_amqp()),
        Ok(Err(_)) => Err(broker.broken()),
        Ok(Ok(Answer::Tune)) => Ok(Verdict::Accepted),
        Ok(Ok(Answer::Close(ACCESS_REFUSED))) => Ok(Verdict::Rejected),
        Ok(Ok(Answer::Close(code))) => Err(broker.closed(code)),
        Ok(Ok(Answer::NoPlain)) => Err(broker.without_plain()),
    }
}

enum Answer {
    Tune,
    /// With this reply code.
    Close(u16),
    NoPlain,
}

async fn talk(mut stream: Box<dyn Stream>, login: &Login) -> io::Result<Answer> {
    stream.write_all(GREETING).await?;
    stream.flush().await?;
    let start = read(&mut stream).await?;
    let mut start = Method::of(&start)?;
    match start.id {
        START => {}
        CLOSE => return Ok(Answer::Close(start.number()?)),
        _ => return Err(invalid()),
    }
    // The version, and what the broker says of itself.
    start.number()?;
    start.long()?;
    let mechanisms = start.long()?;
    if !mechanisms
        .split(|&byte| byte == b' ')
        .any(|it| it == b"PLAIN")
    {
        return Ok(Answer::NoPlain);
    }
    stream.write_all(&start_ok(login)).await?;
    stream.flush().await?;
    let answer = read(&mut stream).await?;
    let mut answer = Method::of(&answer)?;
    match answer.id {
        TUNE => Ok(Answer::Tune),
        CLOSE => Ok(Answer::Close(answer.number()?)),
        _ => Err(invalid()),
    }
}

/// The payload of one frame.
async fn read(stream: &mut Box<dyn Stream>) -> io::Result<Vec<u8>> {
    let mut head = [0; 7];
    stream.read_exact(&mut head).await?;
    // A method on channel 0; a broker of another version greets back instead.
    let [1, 0, 0, length @ ..] = head else {
        return Err(invalid());
    };
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| invalid())?;
    if length > LONGEST {
        return Err(invalid());
    }
    let mut payload = vec![0; length + 1];
    stream.read_exact(&mut payload).await?;
    match payload.pop() {
        Some(0xCE) => Ok(payload),
        _ => Err(invalid()),
    }
}

/// A method of the class `connection`, and its arguments as far as they are not read.
struct Method<'p> {
    id: u16,
    rest: &'p [u8],
}

impl<'p> Method<'p> {
    fn of(payload: &'p [u8]) -> io::Result<Self> {
        let mut method = Self {
            id: 0,
            rest: payload,
        };
        if method.number()? != CONNECTION {
            return Err(invalid());
        }
        method.id = method.number()?;
        Ok(method)
    }

    fn number(&mut self) -> io::Result<u16> {
        let (number, rest) = self.rest.split_first_chunk().ok_or_else(invalid)?;
        self.rest = rest;
        Ok(u16::from_be_bytes(*number))
    }

    /// A long string or a table.
    fn long(&mut self) -> io::Result<&'p [u8]> {
        let (length, rest) = self.rest.split_first_chunk().ok_or_else(invalid)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| invalid())?;
        let (text, rest) = rest.split_at_checked(length).ok_or_else(invalid)?;
        self.rest = rest;
        Ok(text)
    }
}

/// The frame that holds name and password.
fn start_ok(login: &Login) -> Zeroizing<Vec<u8>> {
    let (name, password) = (&login.username, login.password.expose_secret());
    let response = 2 + name.len() + password.len();
    // To size: a buffer that grows leaves copies of secrets behind.
    let mut frame = Zeroizing::new(Vec::with_capacity(256 + response));
    frame.extend([1, 0, 0, 0, 0, 0, 0]);
    frame.extend(
        [CONNECTION, START_OK]
            .iter()
            .flat_map(|id| id.to_be_bytes()),
    );
    // Without this a broker says nothing of a refused login and hangs up after some seconds, which is not to
    // be told from one that goes down.
    let capability = [&short("authentication_failure_close"), &b"t\x01"[..]].concat();
    let mut properties = [&short("capabilities"), &b"F"[..], &length(capability.len())].concat();
    properties.extend(&capability);
    properties.extend(
        [
            &short("product"),
            &b"S"[..],
            &length(15),
            b"secret-rotation",
        ]
        .concat(),
    );
    frame.extend(length(properties.len()));
    frame.extend(&properties);
    frame.extend(short("PLAIN"));
    frame.extend(length(response));
    for part in [name.as_str(), password] {
        frame.push(0);
        frame.extend(part.as_bytes());
    }
    frame.extend(short("en_US"));
    let payload = length(frame.len() - 7);
    frame[3..7].copy_from_slice(&payload);
    frame.push(0xCE);
    frame
}

/// Lengths are of what fits into a secret, 64 KiB.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

/// A short string; here they are all our own.
fn short(text: &'static str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.len()).unwrap_or(u8::MAX)];
    bytes.extend(text.as_bytes());
    bytes
}

fn invalid() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests;
