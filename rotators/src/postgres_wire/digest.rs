//! The login of Amazon Redshift users whose password is kept as a SHA-256 digest.
//!
//! Redshift asks for it with an authentication request that `PostgreSQL` does not have and the driver does
//! not know: number 13, `AuthenticationDigest`. So the stream below the driver answers it, and hands on all
//! else. Its form is the one that AWS's open drivers answer (`redshift_connector`, `core.py`;
//! `amazon-redshift-jdbc-driver`, `ConnectionFactoryImpl.java`):
//!
//! | who | message |
//! |---|---|
//! | server | `R`, length, 13, algorithm (0 is SHA-256), length and bytes of a salt, length and bytes of a nonce |
//! | client | `d`, length, length and bytes of the digest, length and bytes of a nonce of its own |
//!
//! The digest is SHA-256 of: SHA-256 of password and salt, the server's nonce, the client's nonce.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, digest};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// The number of the request.
const AUTHENTICATION_DIGEST: u32 = 13;

/// The only algorithm that is known.
const ALGORITHM_SHA256: u32 = 0;

/// No message of a login is longer; what is, comes from something else.
const LONGEST: usize = 16 * 1024;

/// A stream that answers requests for a digest.
pub(crate) struct Digest<S> {
    inner: S,
    /// None once the login is over, or what comes is no login.
    login: Option<Login>,
    /// Read, and for the driver.
    through: Vec<u8>,
}

struct Login {
    password: SecretString,
    asked: Arc<AtomicBool>,
    /// Read, and not a whole message yet.
    partial: Vec<u8>,
    /// The answer, as far as it is not sent yet.
    answer: Vec<u8>,
    /// Whether something was sent that may not have left yet.
    unflushed: bool,
}

impl<S> Digest<S> {
    /// Answers with this password, and notes in `asked` that it did.
    pub(crate) fn new(inner: S, password: &SecretString, asked: &Arc<AtomicBool>) -> Self {
        Self {
            inner,
            login: Some(Login {
                password: password.clone(),
                asked: Arc::clone(asked),
                partial: Vec::new(),
                answer: Vec::new(),
                unflushed: false,
            }),
            through: Vec::new(),
        }
    }

    /// Takes the next whole message, if there is one.
    fn sort(&mut self) -> io::Result<bool> {
        let Some(login) = &mut self.login else {
            return Ok(false);
        };
        let Some((&[kind, a, b, c, d], body)) = login.partial.split_first_chunk() else {
            return Ok(false);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let end = match length.checked_sub(4) {
            Some(end) if length <= LONGEST => end,
            // Nothing that this stream knows: the driver says so.
            _ => {
                self.hand_on_all();
                return Ok(true);
            }
        };
        let Some(body) = body.get(..end) else {
            return Ok(false);
        };
        let code = body
            .first_chunk()
            .filter(|_| kind == b'R')
            .map(|code| u32::from_be_bytes(*code));
        if code == Some(AUTHENTICATION_DIGEST) {
            let password = login.password.expose_secret();
            let request = Request::read(&body[4..]).ok_or(io::ErrorKind::Unsupported)?;
            login.answer.extend(request.answer(password, &nonce()));
            login.asked.store(true, Ordering::Relaxed);
            login.partial.drain(..=length);
        } else if kind == b'R' && code != Some(0) {
            self.through.extend(login.partial.drain(..=length));
        } else {
            // The login was accepted or refused.
            self.hand_on_all();
        }
        Ok(true)
    }

    fn hand_on_all(&mut self) {
        if let Some(login) = self.login.take() {
            self.through.extend(login.partial);
        }
    }
}

/// What the server asks with.
struct Request<'m> {
    salt: &'m [u8],
    nonce: &'m [u8],
}

impl<'m> Request<'m> {
    /// What follows the number of the request.
    fn read(body: &'m [u8]) -> Option<Self> {
        let (algorithm, rest) = body.split_first_chunk()?;
        let (salt, rest) = counted(rest)?;
        let (nonce, rest) = counted(rest)?;
        let is_known = u32::from_be_bytes(*algorithm) == ALGORITHM_SHA256 && rest.is_empty();
        is_known.then_some(Self { salt, nonce })
    }

    fn answer(&self, password: &str, nonce: &[u8]) -> Vec<u8> {
        let inner = Zeroizing::new([password.as_bytes(), self.salt].concat());
        let inner = digest(&SHA256, &inner);
        let outer = Zeroizing::new([inner.as_ref(), self.nonce, nonce].concat());
        let outer = digest(&SHA256, &outer);
        let mut body = Vec::new();
        for part in [outer.as_ref(), nonce] {
            body.extend(length_of(part).to_be_bytes());
            body.extend(part);
        }
        let mut message = vec![b'd'];
        message.extend((length_of(&body) + 4).to_be_bytes());
        message.extend(body);
        message
    }
}

fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

/// Of parts of messages, none of which is long.
fn length_of(part: &[u8]) -> u32 {
    u32::try_from(part.len()).unwrap_or(u32::MAX)
}

/// As AWS's drivers have it: the time in milliseconds, as a text.
fn nonce() -> Vec<u8> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map(|since| since.as_millis()).unwrap_or_default();
    millis.to_string().into_bytes()
}

impl<S: AsyncRead + AsyncWrite + Unpin> Digest<S> {
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(login) = &mut self.login else {
            return Poll::Ready(Ok(()));
        };
        while !login.answer.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &login.answer))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            login.answer.drain(..written);
            login.unflushed = true;
        }
        if login.unflushed {
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            login.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Digest<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            ready!(this.poll_answer(cx))?;
            if !this.through.is_empty() {
                let length = this.through.len().min(buffer.remaining());
                buffer.put_slice(&this.through[..length]);
                this.through.drain(..length);
                return Poll::Ready(Ok(()));
            }
            if this.sort()? {
                continue;
            }
            let Some(login) = &mut this.login else {
                return Pin::new(&mut this.inner).poll_read(cx, buffer);
            };
            let mut bytes = [0; 512];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                // The end, also for the driver.
                this.hand_on_all();
            } else {
                login.partial.extend(read.filled());
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Digest<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Digest<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.inner.channel_binding()
    }
}

/// Makes TLS connections above which such a stream stands.
pub(crate) struct Answering<T> {
    tls: T,
    password: SecretString,
    asked: Arc<AtomicBool>,
}

impl<T> Answering<T> {
    pub(crate) fn new(tls: T, password: &SecretString, asked: &Arc<AtomicBool>) -> Self {
        Self {
            tls,
            password: password.clone(),
            asked: Arc::clone(asked),
        }
    }
}

impl<S, T> TlsConnect<S> for Answering<T>
where
    T: TlsConnect<S>,
    T::Future: Send + 'static,
{
    type Stream = Digest<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self {
            tls,
            password,
            asked,
        } = self;
        let handshake = tls.connect(stream);
        Box::pin(async move { Ok(Digest::new(handshake.await?, &password, &asked)) })
    }
}

#[cfg(test)]
mod tests;
