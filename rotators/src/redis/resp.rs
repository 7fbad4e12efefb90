//! The protocol: requests and replies of RESP2 (Redis documentation, "Redis serialization protocol").

use std::io;

use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The most that a reply may hold, in bytes. That of `ACL GETUSER` holds all rules of a user.
const MAX_REPLY: u64 = 1 << 20;

/// How deep lists may lie in lists: those of `ACL GETUSER` do so three times.
const MAX_DEPTH: u8 = 8;

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Text(String),
    /// A number, or nothing at all.
    Other,
    List(Vec<Reply>),
    Refused(Refusal),
}

/// Why a server refuses a command. Its words are not kept: they quote what it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A wrong password, no such user, or one that is disabled: servers do not say which.
    WrongPassword,
    /// The user may not run this command.
    NotAllowed,
    /// The server has no file of users.
    NoAclFile,
    /// The server has as many connections as it may have.
    Full,
    /// Not now: loading, busy with a script, without its primary, or unable to write.
    NotNow(&'static str),
    /// The server takes connections from its own machine only.
    ProtectedMode,
    /// No such command: an old server, or a managed one that has its own way.
    Unknown,
    Other,
}

impl Refusal {
    fn of(line: &str) -> Self {
        let (word, text) = line.split_once(' ').unwrap_or((line, ""));
        let not_now = ["LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"];
        if let Some(code) = not_now.into_iter().find(|code| *code == word) {
            return Self::NotNow(code);
        }
        match word {
            "WRONGPASS" => Self::WrongPassword,
            "NOPERM" => Self::NotAllowed,
            "DENIED" => Self::ProtectedMode,
            "ERR" if text.starts_with("max number of clients") => Self::Full,
            "ERR" if text.contains("not configured to use an ACL file") => Self::NoAclFile,
            "ERR" if text.starts_with("unknown ") || text.starts_with("Unknown ") => Self::Unknown,
            _ => Self::Other,
        }
    }

    /// The first word of the answer, where it tells more than that there is an error.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::WrongPassword => "WRONGPASS",
            Self::NotAllowed => "NOPERM",
            Self::ProtectedMode => "DENIED",
            Self::NotNow(code) => code,
            Self::NoAclFile | Self::Full | Self::Unknown | Self::Other => "ERR",
        }
    }
}

/// Appends a command. Its words may hold anything: their lengths come first.
pub(super) fn write(command: &[&str], request: &mut Zeroizing<Vec<u8>>) {
    // Room for what follows, in a new buffer: one that grows leaves a copy of what it held.
    let words: usize = command.iter().map(|word| word.len() + 24).sum();
    let mut larger = Zeroizing::new(Vec::with_capacity(request.len() + words + 24));
    larger.extend_from_slice(request);
    larger.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
    for word in command {
        larger.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        larger.extend_from_slice(word.as_bytes());
        larger.extend_from_slice(b"\r\n");
    }
    *request = larger;
}

/// Reads a reply.
///
/// # Errors
/// `InvalidData` where it is none; `UnexpectedEof` where it breaks off; those of the connection.
pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin + Send)) -> io::Result<Reply> {
    let mut budget = MAX_REPLY;
    // The lists that are not complete yet, each with the number of elements to come.
    let mut open: Vec<(Vec<Reply>, u64)> = Vec::new();
    loop {
        let mut reply = match read_part(from, &mut budget).await? {
            Part::Whole(reply) => reply,
            Part::List(0) => Reply::List(Vec::new()),
            Part::List(length) if open.len() < usize::from(MAX_DEPTH) => {
                open.push((Vec::new(), length));
                continue;
            }
            Part::List(_) => return Err(garbled()),
        };
        loop {
            let Some((mut list, to_come)) = open.pop() else {
                return Ok(reply);
            };
            list.push(reply);
            if to_come > 1 {
                open.push((list, to_come - 1));
                break;
            }
            reply = Reply::List(list);
        }
    }
}

enum Part {
    Whole(Reply),
    /// The head of a list of so many replies.
    List(u64),
}

async fn read_part(
    from: &mut (impl AsyncBufRead + Unpin + Send),
    budget: &mut u64,
) -> io::Result<Part> {
    let mut line = Vec::new();
    let mut bounded = (&mut *from).take(*budget);
    *budget -= bounded.read_until(b'\n', &mut line).await? as u64;
    let Some(line) = line.strip_suffix(b"\r\n") else {
        return Err(if *budget == 0 || line.ends_with(b"\n") {
            garbled()
        } else {
            io::ErrorKind::UnexpectedEof.into()
        });
    };
    let line = String::from_utf8_lossy(line);
    let mut rest = line.chars();
    let kind = rest.next();
    let rest = rest.as_str();
    Ok(match kind {
        Some('+') => Part::Whole(Reply::Text(rest.to_owned())),
        Some('-') => Part::Whole(Reply::Refused(Refusal::of(rest))),
        Some(':') => Part::Whole(Reply::Other),
        Some('$' | '*') if rest == "-1" => Part::Whole(Reply::Other),
        Some('*') => Part::List(rest.parse().map_err(|_| garbled())?),
        Some('$') => {
            let length: u64 = rest.parse().map_err(|_| garbled())?;
            let with_end = length.checked_add(2).filter(|bytes| bytes <= budget);
            *budget -= with_end.ok_or_else(garbled)?;
            let length = usize::try_from(length).map_err(|_| garbled())?;
            let mut text = vec![0; length + 2];
            from.read_exact(&mut text).await?;
            let text = text.strip_suffix(b"\r\n").ok_or_else(garbled)?;
            Part::Whole(Reply::Text(String::from_utf8_lossy(text).into_owned()))
        }
        _ => return Err(garbled()),
    })
}

fn garbled() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Reply {
        Reply::Text(text.to_owned())
    }

    async fn reads(mut bytes: &[u8]) -> Result<Reply, io::ErrorKind> {
        read(&mut bytes).await.map_err(|fault| fault.kind())
    }

    #[test]
    fn commands_are_written_with_the_lengths_of_their_words() {
        let mut request = Zeroizing::default();
        write(&["AUTH", "ü", "a\r\n\0b"], &mut request);
        write(&["ACL", ""], &mut request);
        let expected =
            "*3\r\n$4\r\nAUTH\r\n$2\r\nü\r\n$5\r\na\r\n\0b\r\n*2\r\n$3\r\nACL\r\n$0\r\n\r\n";
        assert_eq!(request.as_slice(), expected.as_bytes());
    }

    #[tokio::test]
    async fn replies_are_read() {
        let list = b"*4\r\n$5\r\nflags\r\n*1\r\n+on\r\n*0\r\n*2\r\n:7\r\n$-1\r\n+next\r\n";
        let expected = Reply::List(vec![
            text("flags"),
            Reply::List(vec![text("on")]),
            Reply::List(vec![]),
            Reply::List(vec![Reply::Other, Reply::Other]),
        ]);
        assert_eq!(reads(list).await, Ok(expected));
        assert_eq!(reads(b"$4\r\na\r\nb\r\n").await, Ok(text("a\r\nb")));
        assert_eq!(reads(b"*-1\r\n").await, Ok(Reply::Other));
        let mut two: &[u8] = b"+one\r\n+two\r\n";
        assert_eq!(read(&mut two).await.expect("one"), text("one"));
        assert_eq!(read(&mut two).await.expect("two"), text("two"));
    }

    #[tokio::test]
    async fn what_is_no_reply_ends_in_an_error_and_takes_no_room() {
        let broken = Err(io::ErrorKind::UnexpectedEof);
        for bytes in ["", "+OK", "$4\r\nab", "*2\r\n+a\r\n", "*2\r\n"] {
            assert_eq!(reads(bytes.as_bytes()).await, broken, "{bytes:?}");
        }
        let garbled = Err(io::ErrorKind::InvalidData);
        for bytes in [
            "HTTP/1.1 400 Bad Request\r\n",
            "\r\n",
            "+OK\n",
            "$2\r\nabcd",
            "$x\r\n",
            "$-2\r\n",
            "*-2\r\n",
            "$1048576\r\n",
            "$18446744073709551615\r\n",
            &"*1\r\n".repeat(9),
        ] {
            assert_eq!(reads(bytes.as_bytes()).await, garbled, "{bytes:?}");
        }
        let endless = vec![b'+'; 2 << 20];
        assert_eq!(reads(&endless).await, garbled);
        let endless = "*18446744073709551615\r\n".to_owned() + &":1\r\n".repeat(1 << 19);
        assert_eq!(reads(endless.as_bytes()).await, garbled);
    }

    #[tokio::test]
    async fn refusals_are_told_apart_and_their_words_forgotten() {
        for (line, refusal) in [
            (
                "WRONGPASS invalid username-password pair or user is disabled.",
                Refusal::WrongPassword,
            ),
            (
                "NOPERM User app has no permissions to run the 'acl|getuser' command",
                Refusal::NotAllowed,
            ),
            (
                "ERR This Redis instance is not configured to use an ACL file. You may",
                Refusal::NoAclFile,
            ),
            (
                "ERR This instance is not configured to use an ACL file. You may",
                Refusal::NoAclFile,
            ),
            ("ERR max number of clients reached", Refusal::Full),
            (
                "ERR max number of clients + cluster connections reached",
                Refusal::Full,
            ),
            (
                "LOADING Redis is loading the dataset in memory",
                Refusal::NotNow("LOADING"),
            ),
            (
                "DENIED Redis is running in protected mode",
                Refusal::ProtectedMode,
            ),
            ("ERR unknown command 'ACL'", Refusal::Unknown),
            ("ERR Unknown subcommand or wrong number", Refusal::Unknown),
            ("ERR Error in ACL SETUSER modifier '#0'", Refusal::Other),
            ("sentinel", Refusal::Other),
            ("", Refusal::Other),
        ] {
            let reply = format!("-{line}\r\n");
            let expected = Ok(Reply::Refused(refusal));
            assert_eq!(reads(reply.as_bytes()).await, expected, "{line}");
        }
    }
}
