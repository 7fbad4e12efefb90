//! One GET on a connection of its own: all of HTTP/1.1 (RFC 9112) that loopback needs.

use std::fmt::Write as _;
use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// The largest secret, 65,536 bytes, each of them escaped as `\u00XX`; its frame; headers.
const MOST: usize = 6 * 65_536 + 16 * 1024;

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Why there is no reply. It says nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoReply {
    /// Nothing listens there, or it hung up.
    NoConnection,
    /// Something answered that is not HTTP, or more than any secret has.
    Unreadable,
}

impl NoReply {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NoConnection => "NoConnection",
            Self::Unreadable => "UnreadableReply",
        }
    }
}

/// Asks for a path. How long that may take is up to the caller.
pub(super) async fn get(
    address: SocketAddr,
    path: &str,
    token: &SecretString,
) -> Result<Reply, NoReply> {
    let broken = |_| NoReply::NoConnection;
    let mut stream = TcpStream::connect(address).await.map_err(broken)?;
    let token = token.expose_secret();
    if token.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(NoReply::NoConnection);
    }
    let request = Zeroizing::new(
        [
            "GET ",
            path,
            " HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-aws-parameters-secrets-token: ",
            token,
            "\r\n\r\n",
        ]
        .concat(),
    );
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    // One buffer of the full size: one that grows leaves copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST));
    loop {
        if bytes.len() == MOST {
            return Err(NoReply::Unreadable);
        }
        let room = u64::try_from(MOST - bytes.len()).unwrap_or(0);
        let read = (&mut stream).take(room).read_buf(&mut *bytes).await;
        if read.map_err(broken)? == 0 {
            break;
        }
    }
    parse(&bytes).ok_or(NoReply::Unreadable)
}

/// Takes a whole reply apart.
fn parse(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let body = bytes.get(end + 4..)?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?;
    let status = status.split(' ').nth(1)?.parse().ok()?;
    let (mut length, mut chunked) = (None, false);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<usize>().ok()?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }
    let body = match (chunked, length) {
        (true, _) => dechunked(body)?,
        (false, Some(length)) => Zeroizing::new(body.get(..length)?.to_vec()),
        (false, None) => Zeroizing::new(body.to_vec()),
    };
    Some(Reply { status, body })
}

/// RFC 9112, section 7.1: chunks, each with its length in hex before it, until one of length 0.
fn dechunked(mut rest: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut body = Zeroizing::new(Vec::with_capacity(rest.len()));
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let length = std::str::from_utf8(rest.get(..end)?).ok()?;
        let length = length.split(';').next()?.trim();
        let length = usize::from_str_radix(length, 16).ok()?;
        rest = rest.get(end + 2..)?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

/// A value of a query (RFC 3986, section 2.3: all but unreserved characters are encoded).
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(reply: &str) -> Option<(u16, String)> {
        let reply = parse(reply.as_bytes())?;
        let body = String::from_utf8(reply.body.to_vec()).ok()?;
        Some((reply.status, body))
    }

    #[test]
    fn replies_of_known_length_in_chunks_and_to_the_end_are_read() {
        for reply in [
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbod\r\n1;x=y\r\ny\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nbody",
        ] {
            assert_eq!(body(reply), Some((200, "body".to_owned())), "{reply}");
        }
        assert_eq!(
            body("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"),
            Some((403, String::new()))
        );
    }

    #[test]
    fn a_reply_that_was_cut_short_or_is_none_is_no_reply() {
        for reply in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbo",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n",
            "HTTP/1.1 many OK\r\n\r\n",
            "SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n",
        ] {
            assert_eq!(body(reply), None, "{reply:?}");
        }
    }

    #[test]
    fn an_arn_is_encoded() {
        assert_eq!(
            encoded("arn:aws:a/b-C_d.e~f g"),
            "arn%3Aaws%3Aa%2Fb-C_d.e~f%20g"
        );
    }
}
