//! A function that listens, such as under `cargo lambda watch` or the Runtime Interface Emulator.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Answer;

/// Where both of them take events, if the address names no path.
const PATH: &str = "/2015-03-31/functions/function/invocations";

/// Sends an event and waits for the answer.
pub(crate) async fn send(endpoint: &Uri, payload: String, patience: Duration) -> Answer {
    let failed = |error_type: &str, message: String| Answer::Failed {
        error_type: error_type.to_owned(),
        message,
    };
    match timeout(patience, exchange(endpoint, payload)).await {
        Err(_) => failed(
            "TimedOut",
            format!("no answer within {} s", patience.as_secs()),
        ),
        Ok(Err(fault)) => failed("Unreachable", format!("no answer from {endpoint}: {fault}")),
        Ok(Ok((200..300, body))) => Answer::error(&body).unwrap_or(Answer::Done),
        Ok(Ok((status, body))) => Answer::error(&body).unwrap_or_else(|| {
            failed(
                "Refused",
                format!("{endpoint} answered with status {status}"),
            )
        }),
    }
}

async fn exchange(
    endpoint: &Uri,
    payload: String,
) -> Result<(u16, Bytes), Box<dyn Error + Send + Sync>> {
    let host = endpoint.host().unwrap_or_default();
    let port = endpoint.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let path = match endpoint.path() {
        "" | "/" => PATH,
        path => path,
    };
    let request = Request::post(path)
        .header("host", format!("{host}:{port}"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(payload)))?;
    let (parts, body) = sender.send_request(request).await?.into_parts();
    Ok((parts.status.as_u16(), body.collect().await?.to_bytes()))
}
