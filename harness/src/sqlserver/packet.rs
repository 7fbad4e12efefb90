//! Messages as MS-TDS lays them out.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

pub(super) const HEADER: usize = 8;
pub(super) const BATCH: u8 = 0x01;
pub(super) const ANSWER: u8 = 0x04;
pub(super) const LOGIN: u8 = 0x10;
pub(super) const PRELOGIN: u8 = 0x12;

/// The longest packet that this server sends or takes.
const PACKET: usize = 4096;

/// A value of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Int(i32),
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number)
    }
}

/// An error that the client is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) number: u32,
    pub(super) words: String,
}

impl Refusal {
    pub(super) fn new(number: u32, words: impl Into<String>) -> Self {
        Self {
            number,
            words: words.into(),
        }
    }
}

/// What a client says about itself: LOGIN7 (MS-TDS 2.2.6.4).
#[derive(Debug)]
pub(super) struct Login7 {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) database: String,
}

/// A message of a client: its type, and its packets without their headers. None: the client has gone.
pub(super) async fn read_message(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut message = Vec::new();
    loop {
        let mut head = [0; HEADER];
        match stream.read_exact(&mut head).await {
            Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        };
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if !(HEADER..=PACKET).contains(&length) {
            return Err(io::Error::other("no length of a packet"));
        }
        let start = message.len();
        message.resize(start + length - HEADER, 0);
        stream.read_exact(&mut message[start..]).await?;
        if head[1] & 1 != 0 {
            return Ok(Some((head[0], message)));
        }
    }
}

/// Sends a message of the server.
pub(super) async fn write_message(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &[u8],
) -> io::Result<()> {
    let mut number = 0_u8;
    let mut bodies = message.chunks(PACKET - HEADER).peekable();
    while let Some(body) = bodies.next() {
        number = number.wrapping_add(1);
        let length = u16::try_from(body.len() + HEADER).expect("a packet");
        let [high, low] = length.to_be_bytes();
        let is_last = u8::from(bodies.peek().is_none());
        let mut packet = vec![ANSWER, is_last, high, low, 0, 51, number, 0];
        packet.extend_from_slice(body);
        stream.write_all(&packet).await?;
    }
    stream.flush().await
}

/// What a client's PRELOGIN says of encryption.
pub(super) fn encryption_of(prelogin: &[u8]) -> Option<u8> {
    let mut at = 0;
    while *prelogin.get(at)? != 0xff {
        let offset = u16::from_be_bytes([*prelogin.get(at + 1)?, *prelogin.get(at + 2)?]);
        if prelogin[at] == 1 {
            return prelogin.get(usize::from(offset)).copied();
        }
        at += 5;
    }
    None
}

/// The server's own: version 16.0.4000, and this about encryption.
pub(super) fn prelogin(encryption: u8) -> Vec<u8> {
    vec![
        0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, // options
        16, 0, 0x0f, 0xa0, 0, 0, encryption,
    ]
}

/// Reads a LOGIN7; None: it is none, or asks for what this server has not.
pub(super) fn login(message: &[u8]) -> Option<Login7> {
    let number = |at: usize| {
        Some(u16::from_le_bytes([
            *message.get(at)?,
            *message.get(at + 1)?,
        ]))
    };
    // TDS 7.4, with a password of the server's own.
    if message.get(4..8)? != 0x7400_0004_u32.to_le_bytes() || message.get(25)? & 0x80 != 0 {
        return None;
    }
    // Pairs of offset and length from byte 36 on: host, user, password, application, server, extension,
    // library, language, database.
    let field = |index: usize| -> Option<Vec<u8>> {
        let at = usize::from(number(36 + index * 4)?);
        let length = usize::from(number(38 + index * 4)?) * 2;
        message.get(at..at + length).map(<[u8]>::to_vec)
    };
    let mut password = field(2)?;
    for byte in &mut password {
        *byte = (*byte ^ 0xa5).rotate_left(4);
    }
    Some(Login7 {
        user: utf16(&field(1)?)?,
        password: utf16(&password)?,
        database: utf16(&field(8)?)?,
    })
}

/// The text of a batch, behind its headers.
pub(super) fn batch(message: &[u8]) -> Option<String> {
    let headers = message.first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*headers)).ok()?;
    utf16(message.get(length..)?)
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks(2).map(|unit| match unit {
        [low, high] => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    });
    String::from_utf16(&units.collect::<Option<Vec<_>>>()?).ok()
}

fn units(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn short_text(text: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.encode_utf16().count()).expect("a short text")];
    bytes.extend(units(text));
    bytes
}

fn token(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(u16::try_from(body.len()).expect("a token").to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// DONE: nothing, an error, or that many lines.
pub(super) fn done(status: u16, count: usize) -> Vec<u8> {
    let mut bytes = vec![0xfd];
    bytes.extend(status.to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend((count as u64).to_le_bytes());
    bytes
}

/// ENVCHANGE: the database is another one now.
pub(super) fn database_changed(new: &str, old: &str) -> Vec<u8> {
    token(0xe3, &[vec![1], short_text(new), short_text(old)].concat())
}

/// LOGINACK.
pub(super) fn login_ack() -> Vec<u8> {
    let mut body = vec![1];
    body.extend(0x7400_0004_u32.to_be_bytes());
    body.extend(short_text("Microsoft SQL Server"));
    body.extend([16, 0, 0x0f, 0xa0]);
    token(0xad, &body)
}

/// ERROR, of severity 16.
pub(super) fn error(refusal: &Refusal) -> Vec<u8> {
    let mut body = refusal.number.to_le_bytes().to_vec();
    body.extend([1, 16]);
    let words = units(&refusal.words);
    body.extend(
        u16::try_from(words.len() / 2)
            .expect("a text")
            .to_le_bytes(),
    );
    body.extend(words);
    body.extend(short_text("FAKE"));
    body.extend(short_text(""));
    body.extend(1_u32.to_le_bytes());
    token(0xaa, &body)
}

/// COLMETADATA, a ROW a line, and DONE.
pub(super) fn rows(columns: &[String], rows: &[Vec<Value>]) -> Vec<u8> {
    let mut bytes = vec![0x81];
    bytes.extend(u16::try_from(columns.len()).expect("a few").to_le_bytes());
    for (at, name) in columns.iter().enumerate() {
        bytes.extend([0, 0, 0, 0, 1, 0]);
        if rows.iter().any(|row| matches!(row[at], Value::Int(_))) {
            bytes.extend([0x26, 4]);
        } else {
            bytes.extend([0xe7, 0x40, 0x1f, 0x09, 0x04, 0xd0, 0x00, 0x34]);
        }
        bytes.extend(short_text(name));
    }
    for row in rows {
        bytes.push(0xd1);
        for (at, value) in row.iter().enumerate() {
            let is_int = rows.iter().any(|row| matches!(row[at], Value::Int(_)));
            match value {
                Value::Int(number) => {
                    bytes.push(4);
                    bytes.extend(number.to_le_bytes());
                }
                Value::Null if is_int => bytes.push(0),
                Value::Null => bytes.extend([0xff, 0xff]),
                Value::Text(text) => {
                    let text = units(text);
                    bytes.extend(u16::try_from(text.len()).expect("a text").to_le_bytes());
                    bytes.extend(text);
                }
            }
        }
    }
    bytes.extend(done(0x10, rows.len()));
    bytes
}
