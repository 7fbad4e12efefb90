//! Messages of version 3.0 of the protocol (`PostgreSQL` manual, "Message Formats").

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::question::Rows;
use super::state::Refusal;

/// No message of a test is longer.
const LONGEST: u32 = 1 << 20;

/// A connection, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Reads a message with a kind.
pub(super) async fn read(stream: &mut dyn Stream) -> io::Result<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await?;
    Ok((kind, read_body(stream).await?))
}

/// Reads a message without one: the first of a connection.
pub(super) async fn read_body(stream: &mut dyn Stream) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    if !(4..LONGEST).contains(&length) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length as usize - 4];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(length(body, 4).to_be_bytes());
    message.extend(body);
    message
}

pub(super) async fn write(stream: &mut dyn Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// A part with its length before it.
pub(super) fn counted(part: &[u8]) -> Vec<u8> {
    [&length(part, 0).to_be_bytes()[..], part].concat()
}

fn length(bytes: &[u8], more: u32) -> u32 {
    u32::try_from(bytes.len()).expect("a short message") + more
}

/// An error message, with words that quote what they should not.
pub(super) fn refusal(refusal: Refusal, severity: &str, quoted: &str) -> Vec<u8> {
    let fields = format!(
        "S{severity}\0C{}\0Mquotes {quoted}\0R{}\0\0",
        refusal.code, refusal.routine
    );
    message(b'E', fields.as_bytes())
}

/// The end of a statement without rows.
pub(super) fn complete(tag: &str) -> Vec<u8> {
    message(b'C', format!("{tag}\0").as_bytes())
}

/// Rows as texts.
pub(super) fn rows(rows: &Rows) -> Vec<u8> {
    let mut answer = Vec::new();
    let columns = rows.first().map_or(0, Vec::len);
    let mut description = short(columns);
    for column in 0..columns {
        description.extend(format!("c{column}\0").bytes());
        // No table, type text, no modifier, as a text.
        description.extend([
            0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,
        ]);
    }
    answer.extend(message(b'T', &description));
    for row in rows {
        let mut body = short(row.len());
        for text in row {
            match text {
                Some(text) => body.extend(counted(text.as_bytes())),
                None => body.extend((-1_i32).to_be_bytes()),
            }
        }
        answer.extend(message(b'D', &body));
    }
    answer.extend(complete(&format!("SELECT {}", rows.len())));
    answer
}

fn short(number: usize) -> Vec<u8> {
    let number = u16::try_from(number).expect("few columns");
    number.to_be_bytes().to_vec()
}
