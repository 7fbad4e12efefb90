//! What a broker is started with.

use super::RabbitMqServer;
use crate::tls;

/// Options of a [`RabbitMqServer`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RabbitMqBuilder {
    pub(super) server_names: Vec<String>,
    pub(super) settings: Vec<String>,
}

impl RabbitMqBuilder {
    pub(super) fn new() -> Self {
        Self {
            server_names: tls::local_names(),
            settings: Vec::new(),
        }
    }

    /// The DNS names and IP addresses in the broker's certificate, instead of `localhost` and `127.0.0.1`.
    pub fn server_names(mut self, names: &[&str]) -> Self {
        self.server_names = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// A line for `rabbitmq.conf`, such as `auth_mechanisms.1 = AMQPLAIN`.
    pub fn setting(mut self, line: &str) -> Self {
        self.settings.push(line.to_owned());
        self
    }

    /// Starts the broker and waits until it answers.
    ///
    /// # Panics
    /// If it is not installed, or does not answer within a minute.
    pub async fn start(self) -> RabbitMqServer {
        RabbitMqServer::start(self).await
    }
}
