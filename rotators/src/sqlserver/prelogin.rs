//! The first message of each side, which settles whether TLS follows: PRELOGIN (MS-TDS 2.2.6.5).

/// What stands before every packet (MS-TDS 2.2.3): type, status, length, process, number, window.
pub(super) const HEADER: usize = 8;
/// The first message, and TLS until its handshake is over.
pub(super) const PRELOGIN: u8 = 0x12;
/// What a server sends.
pub(super) const ANSWER: u8 = 0x04;
/// The longest packet before a login has settled another length.
pub(super) const LONGEST_PACKET: usize = 4096;

const END_OF_MESSAGE: u8 = 0x01;
const ENCRYPTION: u8 = 0x01;
const TERMINATOR: u8 = 0xff;

/// What a side wants, or can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// For the login only.
    Login,
    Always,
    NotSupported,
    Required,
}

impl Encryption {
    fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Login,
            1 => Self::Always,
            2 => Self::NotSupported,
            3 => Self::Required,
            _ => return None,
        })
    }

    fn byte(self) -> u8 {
        match self {
            Self::Login => 0,
            Self::Always => 1,
            Self::NotSupported => 2,
            Self::Required => 3,
        }
    }
}

/// One packet of type PRELOGIN or of an answer, as it goes over the wire.
pub(super) fn packet(kind: u8, number: u8, is_last: bool, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(HEADER + body.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let status = if is_last { END_OF_MESSAGE } else { 0 };
    let mut packet = vec![kind, status, high, low, 0, 0, number, 0];
    packet.extend_from_slice(body);
    packet
}

/// Type and length of the body of the packet that begins so.
pub(super) fn header(bytes: [u8; HEADER]) -> Option<(u8, usize)> {
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    length.checked_sub(HEADER).map(|length| (bytes[0], length))
}

/// Whether the packet that begins so is the last of its message.
pub(super) fn is_last(bytes: [u8; HEADER]) -> bool {
    bytes[1] & END_OF_MESSAGE != 0
}

/// What we begin with: version 7 of nothing in particular, no instance, thread 0, one session.
pub(super) fn greeting(encryption: Encryption) -> Vec<u8> {
    let options: [(u8, &[u8]); 5] = [
        (0x00, &[7, 0, 0, 0, 0, 0]),
        (ENCRYPTION, &[encryption.byte()]),
        (0x02, &[0]),
        (0x03, &[0, 0, 0, 0]),
        (0x04, &[0]),
    ];
    let mut list = Vec::new();
    let mut data = Vec::new();
    // Five bytes an option, and the terminator.
    let start = options.len() * 5 + 1;
    for (token, value) in options {
        let at = u16::try_from(start + data.len()).unwrap_or(u16::MAX);
        list.push(token);
        list.extend_from_slice(&at.to_be_bytes());
        list.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        data.extend_from_slice(value);
    }
    list.push(TERMINATOR);
    list.append(&mut data);
    packet(PRELOGIN, 0, true, &list)
}

/// The server's answer, as far as it matters.
#[derive(Debug)]
pub(super) struct Greeted {
    body: Vec<u8>,
    at: usize,
    pub(super) encryption: Encryption,
}

impl Greeted {
    /// From the body of the server's answer.
    pub(super) fn read(body: Vec<u8>) -> Option<Self> {
        let mut option = 0;
        loop {
            match *body.get(option)? {
                TERMINATOR => return None,
                ENCRYPTION => {
                    let at = body.get(option + 1..option + 3)?;
                    let at = usize::from(u16::from_be_bytes(at.try_into().ok()?));
                    let encryption = Encryption::of(*body.get(at)?)?;
                    return Some(Self {
                        body,
                        at,
                        encryption,
                    });
                }
                _ => option += 5,
            }
        }
    }

    /// The same answer of a server that has nothing to do with TLS: for the driver, below which TLS is.
    pub(super) fn without_tls(mut self) -> Vec<u8> {
        if let Some(byte) = self.body.get_mut(self.at) {
            *byte = Encryption::NotSupported.byte();
        }
        packet(ANSWER, 0, true, &self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_laid_out_as_in_the_specification() {
        let greeting = greeting(Encryption::Always);
        assert_eq!(
            greeting,
            [
                0x12, 1, 0, 47, 0, 0, 0, 0, // header
                0, 0, 26, 0, 6, 1, 0, 32, 0, 1, 2, 0, 33, 0, 1, 3, 0, 34, 0, 4, 4, 0, 38, 0, 1,
                0xff, //
                7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
            ]
        );
        let read = Greeted::read(greeting[HEADER..].to_vec()).expect("an answer");
        assert_eq!(read.encryption, Encryption::Always);
        let mut expected = greeting;
        expected[0] = ANSWER;
        expected[8 + 32] = 2;
        assert_eq!(read.without_tls(), expected);
    }

    #[test]
    fn what_is_no_answer_is_not_taken_for_one() {
        for bad in [
            &[][..],
            &[TERMINATOR],
            &[1, 0],
            &[1, 0, 9, 0, 1, TERMINATOR],
            &[1, 0, 6, 0, 1, TERMINATOR, 4],
            &[0, 0, 1, 0, 6],
            &b"HTTP/1.1 400 Bad Request"[..],
        ] {
            assert!(Greeted::read(bad.to_vec()).is_none(), "{bad:?}");
        }
    }
}
