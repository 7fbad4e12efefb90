//! Messages: `OP_MSG`, and for the first question `OP_QUERY`, as drivers send it to a server that they do not
//! know (manual, "`MongoDB` Wire Protocol"; drivers' specification, "`MongoDB` Handshake").

use std::io;

use bson::raw::{RawDocument, RawDocumentBuf};
use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The most that a message of a server may hold, in bytes: a document of the largest size, and what is around.
const MAX_REPLY: usize = (16 << 20) + 1024;

const HEADER: usize = 16;
const OP_REPLY: i32 = 1;
const OP_QUERY: i32 = 2004;
const OP_MSG: i32 = 2013;

/// Flags of `OP_MSG`: four bytes of checksum at the end.
const CHECKSUM: u32 = 1;
/// Another message will follow without being asked for, which nobody here allows.
const MORE_TO_COME: u32 = 2;
/// Flags that a receiver has to understand.
const REQUIRED: u32 = 0xffff;

/// A command that names its database (`$db`).
pub(super) fn command(id: i32, command: &RawDocument) -> Zeroizing<Vec<u8>> {
    // No flags, and one section: kind 0, the body.
    framed(id, OP_MSG, &[0; 5], command)
}

/// The first question to a server.
pub(super) fn greeting(id: i32, question: &RawDocument) -> Zeroizing<Vec<u8>> {
    let mut start = Vec::with_capacity(32);
    // A secondary may answer.
    start.extend_from_slice(&4_i32.to_le_bytes());
    start.extend_from_slice(b"admin.$cmd\0");
    // Nothing is skipped, one document is asked for.
    start.extend_from_slice(&0_i32.to_le_bytes());
    start.extend_from_slice(&(-1_i32).to_le_bytes());
    framed(id, OP_QUERY, &start, question)
}

fn framed(id: i32, kind: i32, start: &[u8], document: &RawDocument) -> Zeroizing<Vec<u8>> {
    let document = document.as_bytes();
    let length = HEADER + start.len() + document.len();
    // It never grows: what it held would stay behind.
    let mut message = Zeroizing::new(Vec::with_capacity(length));
    let length = i32::try_from(length).unwrap_or(i32::MAX);
    for number in [length, id, 0, kind] {
        message.extend_from_slice(&number.to_le_bytes());
    }
    message.extend_from_slice(start);
    message.extend_from_slice(document);
    message
}

/// Reads the answer to the message of that id.
///
/// # Errors
/// `InvalidData` where it is none; `UnexpectedEof` where it breaks off; those of the connection.
pub(super) async fn read(
    from: &mut (impl AsyncRead + Unpin + Send),
    id: i32,
) -> io::Result<RawDocumentBuf> {
    let mut header = [0; HEADER];
    from.read_exact(&mut header).await?;
    let number = |at: usize| number(&header, at);
    let (length, answered, kind) = (number(0)?, number(8)?, number(12)?);
    let length = usize::try_from(length).map_err(|_| garbled())?;
    if answered != id || !(HEADER..=MAX_REPLY).contains(&length) {
        return Err(garbled());
    }
    // Room is taken as bytes come in, whatever the length says.
    let rest = length - HEADER;
    let mut body = Vec::new();
    let limit = u64::try_from(rest).map_err(|_| garbled())?;
    from.take(limit).read_to_end(&mut body).await?;
    if body.len() < rest {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let document = match kind {
        OP_MSG => of_message(&body)?,
        OP_REPLY => of_reply(&body)?,
        _ => return Err(garbled()),
    };
    RawDocumentBuf::from_bytes(document.to_vec()).map_err(|_| garbled())
}

/// Flags, and one section of kind 0.
fn of_message(body: &[u8]) -> io::Result<&[u8]> {
    let flags = number(body, 0)?.cast_unsigned();
    if flags & REQUIRED & !CHECKSUM != 0 || flags & MORE_TO_COME != 0 {
        return Err(garbled());
    }
    let end = if flags & CHECKSUM == 0 { 0 } else { 4 };
    let section = body.get(4..body.len().saturating_sub(end));
    match section.and_then(<[u8]>::split_first) {
        Some((0, document)) => Ok(document),
        _ => Err(garbled()),
    }
}

/// Flags, a cursor, a position, the number of documents; then these.
fn of_reply(body: &[u8]) -> io::Result<&[u8]> {
    if number(body, 16)? != 1 {
        return Err(garbled());
    }
    body.get(20..).ok_or_else(garbled)
}

fn number(bytes: &[u8], at: usize) -> io::Result<i32> {
    let four = bytes.get(at..).and_then(<[u8]>::first_chunk);
    four.map(|four| i32::from_le_bytes(*four))
        .ok_or_else(garbled)
}

fn garbled() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests;
