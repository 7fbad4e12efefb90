//! As much of HTTP/1.1 as the stand-ins need: whole requests on connections that stay open.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// A request that waits for its reply.
#[derive(Debug)]
pub(crate) struct Request {
    /// Method and path, such as `GET /2018-06-01/runtime/invocation/next`.
    pub(crate) line: String,
    pub(crate) body: Vec<u8>,
    stream: TcpStream,
}

impl Request {
    /// Replies with a JSON body; `headers` are whole lines, each with its end. A caller that has gone away is
    /// no fault here: its process has ended.
    pub(crate) fn reply(mut self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let reply = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        let _ = self.stream.write_all(reply.as_bytes());
    }
}

/// Hands each request to `handle`, on a thread of its connection, as long as this process lives.
pub(crate) fn serve(handle: impl FnMut(Request) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut handle = handle.clone();
            thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                let mut reader = BufReader::new(&stream);
                while let Ok(Some(request)) = read(&mut reader, &stream) {
                    handle(request);
                }
            });
        }
    });
    address
}

/// The next request of a connection; nothing at its end.
fn read(reader: &mut impl BufRead, stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    let mut chunked = false;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        chunked |= header.starts_with("transfer-encoding:") && header.contains("chunked");
    }
    let body = if chunked {
        read_chunks(reader)?
    } else {
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        body
    };
    let line = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
    Ok(Some(Request {
        line,
        body,
        stream: stream.try_clone()?,
    }))
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        let start = body.len();
        body.resize(start + size, 0);
        reader.read_exact(&mut body[start..])?;
        let mut end = String::new();
        reader.read_line(&mut end)?;
        if size == 0 {
            return Ok(body);
        }
    }
}
