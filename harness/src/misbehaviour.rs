//! What a caller of a provider gets instead of the answer.

use bytes::Bytes;
use hyper::{Response, StatusCode};

use crate::http::{NoAnswer, Reply};

/// What a caller gets instead of the answer.
#[derive(Clone, Debug)]
pub enum Misbehaviour {
    /// The connection is closed.
    Drop,
    /// Nothing, for ever.
    Hang,
    /// Another answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Header names and values.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
}

impl Misbehaviour {
    /// An answer without headers of its own.
    pub fn answer(status: u16, body: impl Into<String>) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Does it.
    pub(crate) async fn perform(self) -> Reply {
        match self {
            Self::Drop => Err(NoAnswer),
            Self::Hang => std::future::pending().await,
            Self::Answer {
                status,
                headers,
                body,
            } => {
                let status = StatusCode::from_u16(status).expect("a valid HTTP status");
                let mut builder = Response::builder().status(status);
                for (name, value) in headers {
                    builder = builder.header(name, value);
                }
                let answer = builder.body(Bytes::from(body).into());
                Ok(answer.expect("valid headers"))
            }
        }
    }
}
