use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

const PASSWORD: &str = "Sentinel1pass";

/// What `redshift_connector` 2.2.0 makes of the password, the salt 0..32, the nonce 100..132 and its own
/// nonce `1700000000000`.
const KNOWN: &str = "39559d27a5a05d69c547405881f5e4233ecf54c34acafae14a7907dcbf4b5dd0";

fn counted_part(part: &[u8]) -> Vec<u8> {
    [&length_of(part).to_be_bytes()[..], part].concat()
}

fn request(algorithm: u32) -> Vec<u8> {
    let salt: Vec<u8> = (0..32).collect();
    let nonce: Vec<u8> = (100..132).collect();
    let mut body = AUTHENTICATION_DIGEST.to_be_bytes().to_vec();
    body.extend(algorithm.to_be_bytes());
    body.extend([counted_part(&salt), counted_part(&nonce)].concat());
    message(b'R', &body)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend((length_of(body) + 4).to_be_bytes());
    message.extend(body);
    message
}

#[test]
fn a_digest_is_that_of_awss_driver() {
    let request = request(ALGORITHM_SHA256);
    let read = Request::read(&request[9..]).expect("a request");
    let answer = read.answer(PASSWORD, b"1700000000000");
    assert_eq!(&answer[..5], b"d\0\0\0\x39");
    assert_eq!(&answer[5..9], b"\0\0\0\x20");
    let hex: Vec<_> = answer[9..41].iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex.concat(), KNOWN);
    assert_eq!(&answer[41..], b"\0\0\0\x0d1700000000000");
}

#[test]
fn a_request_that_is_not_whole_or_not_known_is_none() {
    let whole = request(ALGORITHM_SHA256);
    for cut in 9..whole.len() {
        assert!(Request::read(&whole[9..cut]).is_none(), "{cut}");
    }
    let longer = [&whole[9..], b"x"].concat();
    assert!(Request::read(&longer).is_none());
    assert!(Request::read(&request(1)[9..]).is_none());
}

#[tokio::test]
async fn the_driver_sees_all_but_the_request_however_it_comes() {
    let before = message(b'R', &5_u32.to_be_bytes());
    let accepted = message(b'R', &0_u32.to_be_bytes());
    let after = message(b'Z', b"I");
    for piece in [1, 7, 1000] {
        let (client, mut server) = duplex(64);
        let asked = Arc::new(AtomicBool::new(false));
        let mut client = Digest::new(client, &PASSWORD.into(), &asked);
        let sent = [before.clone(), request(0), accepted.clone(), after.clone()].concat();
        let length = sent.len() - request(0).len();
        let seen = async {
            let mut seen = vec![0; length];
            client.read_exact(&mut seen).await.expect("the messages");
            seen
        };
        let serve = async {
            for part in sent.chunks(piece) {
                server.write_all(part).await.expect("open");
            }
            let mut answer = vec![0; 58];
            server.read_exact(&mut answer).await.expect("an answer");
            answer
        };
        let (seen, answer) = tokio::join!(seen, serve);
        assert_eq!(seen, [&before[..], &accepted, &after].concat());
        assert_eq!(answer[0], b'd');
        assert!(asked.load(Ordering::Relaxed));
    }
}

#[tokio::test]
async fn what_is_no_login_passes_untouched() {
    for bytes in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        b"R\0\0\0\x01".to_vec(),
        b"R\0\0".to_vec(),
        message(b'E', b"Mno\0\0"),
        Vec::new(),
    ] {
        let (client, mut server) = duplex(64);
        let asked = Arc::new(AtomicBool::new(false));
        let mut client = Digest::new(client, &PASSWORD.into(), &asked);
        server.write_all(&bytes).await.expect("open");
        server.shutdown().await.expect("open");
        let mut seen = Vec::new();
        client.read_to_end(&mut seen).await.expect("the end");
        assert_eq!(seen, bytes);
        assert!(!asked.load(Ordering::Relaxed));
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_known_is_not_supported() {
    let (client, mut server) = duplex(256);
    let asked = Arc::new(AtomicBool::new(false));
    let mut client = Digest::new(client, &PASSWORD.into(), &asked);
    server.write_all(&request(1)).await.expect("open");
    let fault = client.read_u8().await.expect_err("no answer");
    assert_eq!(fault.kind(), std::io::ErrorKind::Unsupported);
    assert!(!asked.load(Ordering::Relaxed));
}
