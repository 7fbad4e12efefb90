//! What a server is started with.

use std::marker::PhantomData;

use super::{Edition, Server};
use crate::tls::{self, Transport};

/// Options of a [`Server`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder<E> {
    pub(super) settings: Vec<(String, String)>,
    pub(super) server_names: Vec<String>,
    pub(super) transport: Transport,
    edition: PhantomData<E>,
}

impl<E: Edition> Builder<E> {
    pub(super) fn new() -> Self {
        Self {
            settings: Vec::new(),
            server_names: tls::local_names(),
            transport: Transport::TlsOnly,
            edition: PhantomData,
        }
    }

    /// A line for the section `[mysqld]` of the configuration, such as `general_log`, `ON`. It wins
    /// over what the harness sets itself.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The DNS names and IP addresses in the server's certificate, instead of `localhost` and
    /// `127.0.0.1`.
    pub fn server_names(mut self, names: &[&str]) -> Self {
        self.server_names = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Lets clients in without TLS as well.
    pub fn allow_plaintext(mut self) -> Self {
        self.transport = Transport::TlsAndPlaintext;
        self
    }

    /// A server that cannot speak TLS.
    pub fn without_tls(mut self) -> Self {
        self.transport = Transport::PlaintextOnly;
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    /// If it is not installed, or does not answer within 20 s.
    pub async fn start(self) -> Server<E> {
        Server::start(self).await
    }
}
