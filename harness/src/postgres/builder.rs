//! What a server is started with.

use super::PostgresServer;
use crate::tls::{self, Transport};

/// Options of a [`PostgresServer`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresBuilder {
    pub(super) major: Option<u32>,
    pub(super) settings: Vec<(String, String)>,
    pub(super) hba: Vec<String>,
    pub(super) server_names: Vec<String>,
    pub(super) transport: Transport,
}

impl PostgresBuilder {
    pub(super) fn new() -> Self {
        Self {
            major: None,
            settings: Vec::new(),
            hba: Vec::new(),
            server_names: tls::local_names(),
            transport: Transport::TlsOnly,
        }
    }

    /// The major version; without it, any that is installed.
    pub fn major(mut self, major: u32) -> Self {
        self.major = Some(major);
        self
    }

    /// A line for `postgresql.conf`; the value is quoted here.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A line for `pg_hba.conf`, placed before the standard ones, so that it wins.
    pub fn hba(mut self, line: &str) -> Self {
        self.hba.push(line.to_owned());
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
    /// If the version is not installed, or the server does not answer within 20 s.
    pub async fn start(self) -> PostgresServer {
        PostgresServer::start(self).await
    }
}
