//! From the first byte to a session: TLS, and how a user proves to be who it says.

use std::io;

use tokio_rustls::TlsAcceptor;

use super::protocol::{Stream, counted, message, read, read_body, write};
use super::state::{Password, Refusal, State, md5, sha256};
use crate::random;

const SSL_REQUEST: u32 = 80_877_103;
const VERSION_3: u32 = 196_608;

/// What a client wants before it has proved anything.
pub(super) struct Startup {
    pub(super) user: String,
    pub(super) database: String,
    pub(super) encrypted: bool,
}

/// Reads the first message; with TLS below it, if the client asks for that. None: no client.
pub(super) async fn start(
    mut stream: Box<dyn Stream>,
    tls: &TlsAcceptor,
) -> io::Result<(Box<dyn Stream>, Startup)> {
    let mut encrypted = false;
    loop {
        let body = read_body(&mut *stream).await?;
        let (version, parameters) = body.split_first_chunk().ok_or(io::ErrorKind::InvalidData)?;
        match u32::from_be_bytes(*version) {
            SSL_REQUEST if !encrypted => {
                write(&mut *stream, b"S").await?;
                stream = Box::new(tls.accept(stream).await?);
                encrypted = true;
            }
            VERSION_3 => {
                let texts = String::from_utf8_lossy(parameters);
                let texts: Vec<_> = texts.split('\0').collect();
                let named = |name: &str| {
                    let pair = texts.chunks_exact(2).find(|pair| pair[0] == name);
                    pair.map(|pair| pair[1].to_owned()).unwrap_or_default()
                };
                let startup = Startup {
                    user: named("user"),
                    database: named("database"),
                    encrypted,
                };
                return Ok((stream, startup));
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// What the refusal of a login looks like at Redshift: one code for all, and the routine that refuses.
pub(super) const WRONG: Refusal = Refusal {
    code: "28000",
    routine: "auth_failed",
};

/// A login without TLS where that is asked for.
pub(super) const NOT_FROM_HERE: Refusal = Refusal {
    code: "28000",
    routine: "ClientAuthentication",
};

/// Asks for the password, as it is kept, and says whether it is right.
pub(super) async fn proves(stream: &mut dyn Stream, user: &str, state: &State) -> io::Result<bool> {
    let kept = state.users.get(user);
    let ends = kept.and_then(|kept| kept.valid_until);
    let ended = ends.is_some_and(|end| end <= std::time::SystemTime::now());
    let right = match kept.map(|kept| &kept.password) {
        Some(Password::Sha256 { hash, salt }) => digest(stream, hash, salt).await?,
        Some(Password::Md5(hash)) => by_md5(stream, hash).await?,
        // Whoever is unknown is not told so.
        Some(Password::Disabled) | None => {
            by_md5(stream, "").await?;
            false
        }
    };
    Ok(right && !ended)
}

async fn by_md5(stream: &mut dyn Stream, hash: &str) -> io::Result<bool> {
    let salt = &random::number().to_be_bytes()[..4];
    write(stream, &message(b'R', &[&[0, 0, 0, 5], salt].concat())).await?;
    let (kind, answer) = read(stream).await?;
    let expected = format!("md5{}\0", md5(&[hash.as_bytes(), salt]));
    Ok(kind == b'p' && answer == expected.as_bytes())
}

/// `AuthenticationDigest`, as AWS's drivers answer it.
async fn digest(stream: &mut dyn Stream, hash: &[u8], salt: &[u8]) -> io::Result<bool> {
    let nonce: Vec<u8> = (0..4)
        .flat_map(|_| random::number().to_be_bytes())
        .collect();
    let request = [
        &[0, 0, 0, 13, 0, 0, 0, 0][..],
        &counted(salt),
        &counted(&nonce),
    ]
    .concat();
    write(stream, &message(b'R', &request)).await?;
    let (kind, answer) = read(stream).await?;
    let theirs = answer.get(40..).unwrap_or_default();
    let digest = sha256(&[hash, &nonce, theirs]);
    let expected = [counted(&digest), counted(theirs)].concat();
    Ok(kind == b'd' && !theirs.is_empty() && answer == expected)
}
