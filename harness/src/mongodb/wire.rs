//! Messages, as a server reads and writes them.

use std::io;

use bson::Document;
use bson::raw::RawDocumentBuf;
use tokio::io::{AsyncRead, AsyncReadExt};

const OP_REPLY: i32 = 1;
const OP_QUERY: i32 = 2004;
const OP_MSG: i32 = 2013;

/// A command that has come in.
#[derive(Debug)]
pub(super) struct Message {
    id: i32,
    /// Whether it came in the old form, which servers take for `isMaster` alone.
    pub(super) old: bool,
    pub(super) command: Document,
}

fn number(bytes: &[u8], at: usize) -> io::Result<i32> {
    let four = bytes.get(at..).and_then(<[u8]>::first_chunk);
    Ok(i32::from_le_bytes(*four.ok_or(io::ErrorKind::InvalidData)?))
}

/// Reads one; an error is the end of the connection.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Message> {
    let mut header = [0; 16];
    from.read_exact(&mut header).await?;
    let length = usize::try_from(number(&header, 0)?).map_err(io::Error::other)?;
    let mut body = vec![0; length.checked_sub(16).ok_or(io::ErrorKind::InvalidData)?];
    from.read_exact(&mut body).await?;
    let kind = number(&header, 12)?;
    let document = match kind {
        OP_QUERY => {
            // Flags, the collection's name with its end, two numbers.
            let name = body
                .get(4..)
                .and_then(|rest| rest.iter().position(|&it| it == 0));
            body.split_off(4 + name.ok_or(io::ErrorKind::InvalidData)? + 1 + 8)
        }
        OP_MSG => {
            let flags = number(&body, 0)?;
            // A checksum stands at the end; no other flag is for clients like these.
            let end = body.len() - if flags & 1 == 1 { 4 } else { 0 };
            if flags & !1 != 0 || body.get(4) != Some(&0) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            body.truncate(end);
            body.split_off(5)
        }
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let document = RawDocumentBuf::from_bytes(document).map_err(io::Error::other)?;
    Ok(Message {
        id: number(&header, 4)?,
        old: kind == OP_QUERY,
        command: Document::try_from(document).map_err(io::Error::other)?,
    })
}

impl Message {
    /// The bytes of the answer.
    pub(super) fn answer(&self, document: &Document) -> Vec<u8> {
        let document = RawDocumentBuf::try_from(document).expect("a document");
        let (kind, start) = if self.old {
            // Flags, a cursor, a position, and that there is one document.
            (OP_REPLY, [[0; 16].as_slice(), &[1, 0, 0, 0]].concat())
        } else {
            (OP_MSG, vec![0; 5])
        };
        let length = 16 + start.len() + document.as_bytes().len();
        let length = i32::try_from(length).expect("a short answer");
        let mut bytes = Vec::new();
        for number in [length, 1, self.id, kind] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        [bytes, start, document.into_bytes()].concat()
    }
}
