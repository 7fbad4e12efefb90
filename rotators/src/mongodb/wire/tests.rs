use bson::rawdoc;

use super::*;

/// A message of a server: flags, the kind of its section, a document, and what comes behind it.
fn answer(flags: u32, section: u8, behind: &[u8]) -> Vec<u8> {
    let document = rawdoc! { "ok": 1.0 };
    let start = [&flags.to_le_bytes()[..], &[section]].concat();
    let mut message = framed(9, OP_MSG, &start, &document).to_vec();
    message.extend_from_slice(behind);
    let length = i32::try_from(message.len()).expect("short");
    message[..4].copy_from_slice(&length.to_le_bytes());
    message[8..12].copy_from_slice(&7_i32.to_le_bytes());
    message
}

async fn reads(mut bytes: &[u8]) -> Result<RawDocumentBuf, io::ErrorKind> {
    read(&mut bytes, 7).await.map_err(|fault| fault.kind())
}

#[test]
fn a_command_is_one_section_of_a_message() {
    let document = rawdoc! { "ping": 1 };
    let message = command(3, &document);
    let length = u8::try_from(16 + 5 + document.as_bytes().len()).expect("short");
    let expected = [
        &[length, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0][..],
        &[0, 0, 0, 0, 0],
        document.as_bytes(),
    ];
    assert_eq!(message.as_slice(), expected.concat());
    assert_eq!(message.capacity(), message.len());
}

#[test]
fn the_first_question_is_an_old_query() {
    let document = rawdoc! { "isMaster": 1 };
    let message = greeting(1, &document);
    assert_eq!(message[12..16], [0xd4, 7, 0, 0]);
    let start = b"\x04\0\0\0admin.$cmd\0\0\0\0\0\xff\xff\xff\xff";
    assert_eq!(&message[16..16 + start.len()], start);
    assert!(message.ends_with(document.as_bytes()));
}

#[tokio::test]
async fn answers_of_both_kinds_are_read() {
    let expected = rawdoc! { "ok": 1.0 };
    assert_eq!(reads(&answer(0, 0, b"")).await, Ok(expected.clone()));
    // A checksum at the end, and a flag that need not be understood.
    let checked = answer(CHECKSUM | 1 << 16, 0, b"\xaa\xaa\xaa\xaa");
    assert_eq!(reads(&checked).await, Ok(expected.clone()));
    let mut start = [0; 20];
    start[16] = 1;
    let mut old = framed(9, OP_REPLY, &start, &expected).to_vec();
    old[8] = 7;
    assert_eq!(reads(&old).await, Ok(expected));
}

#[tokio::test]
async fn what_is_no_answer_ends_in_an_error_and_takes_no_room() {
    let good = answer(0, 0, b"");
    for length in [0, 8, 16, 20, good.len() - 1] {
        let broken = reads(&good[..length]).await;
        assert_eq!(broken, Err(io::ErrorKind::UnexpectedEof), "{length}");
    }
    let changed = |at: usize, byte: u8| {
        let mut message = good.clone();
        message[at] = byte;
        message
    };
    for (what, bytes) in [
        ("the answer to another message", changed(8, 8)),
        ("an unknown kind of message", changed(12, 1)),
        ("a length below that of the header", changed(0, 15)),
        ("a length above the limit", changed(3, 0x7f)),
        ("a negative length", changed(3, 0xff)),
        ("more to come", answer(MORE_TO_COME, 0, b"")),
        ("a flag that must be understood", answer(4, 0, b"")),
        ("another kind of section", answer(0, 1, b"")),
        ("more than one document", answer(0, 0, b"\0")),
        ("no document", framed(9, OP_MSG, &[], &rawdoc! {}).to_vec()),
        ("text", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
    ] {
        assert_eq!(
            reads(&bytes).await,
            Err(io::ErrorKind::InvalidData),
            "{what}"
        );
    }
}
