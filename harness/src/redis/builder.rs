//! What a server is started with.

use super::RedisServer;
use super::install::Product;
use crate::tls::{self, Transport};

/// Options of a [`RedisServer`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisBuilder {
    pub(super) product: Product,
    pub(super) settings: Vec<(String, String)>,
    pub(super) acl_file: AclFile,
    /// Lines of that file.
    pub(super) users: Vec<String>,
    pub(super) server_names: Vec<String>,
    pub(super) transport: Transport,
}

/// Where users are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AclFile {
    /// In memory; `ACL SAVE` is refused.
    Without,
    With,
}

impl RedisBuilder {
    pub(super) fn new() -> Self {
        Self {
            product: Product::Redis,
            settings: Vec::new(),
            acl_file: AclFile::Without,
            users: Vec::new(),
            server_names: tls::local_names(),
            transport: Transport::TlsOnly,
        }
    }

    /// A Valkey server instead of a Redis server.
    pub fn valkey(mut self) -> Self {
        self.product = Product::Valkey;
        self
    }

    /// A line for the configuration, such as `maxclients`, `3`; the value is quoted here.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Users are kept in a file, to which `ACL SAVE` writes. Without one they are lost when the
    /// server stops.
    pub fn acl_file(mut self) -> Self {
        self.acl_file = AclFile::With;
        self
    }

    /// A user in the [file](Self::acl_file): its name and rules, such as `app on >secret ~* +@read`.
    pub fn user(mut self, name_and_rules: &str) -> Self {
        self.users.push(name_and_rules.to_owned());
        self.acl_file()
    }

    /// The DNS names and IP addresses in the server's certificate, instead of `localhost` and
    /// `127.0.0.1`.
    pub fn server_names(mut self, names: &[&str]) -> Self {
        self.server_names = names.iter().map(|&name| name.to_owned()).collect();
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
    pub async fn start(self) -> RedisServer {
        RedisServer::start(self).await
    }
}
