//! A running server.

use std::fmt::Write as _;
use std::sync::Arc;

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::builder::PostgresBuilder;
use super::{PostgresInstall, template};
use crate::daemon::Daemon;
use crate::tls::{TestCa, Transport};
use crate::user::Account;
use crate::{port, process, scratch};

/// The superuser is `postgres`, with this password.
pub(super) const SUPERUSER_PASSWORD: &str = "superuser-of-a-test-server";

/// A `PostgreSQL` server; stopped, and its folder removed, on drop.
#[derive(Debug)]
pub struct PostgresServer {
    pub(super) install: PostgresInstall,
    pub(super) account: Account,
    pub(super) ca: Arc<TestCa>,
    pub(super) port: u16,
    // Before the folder, since fields are dropped in this order.
    pub(super) daemon: Daemon,
    pub(super) folder: TempDir,
}

/// On SIGQUIT the server ends at once and takes its own children and shared memory along.
pub(super) fn daemon() -> Daemon {
    Daemon::new("PostgreSQL", "QUIT")
}

impl PostgresServer {
    /// Options first.
    pub fn builder() -> PostgresBuilder {
        PostgresBuilder::new()
    }

    pub(super) async fn start(options: PostgresBuilder) -> Self {
        let mut server = process::blocking(move || Self::prepare(&options)).await;
        server.port = port::first_free("PostgreSQL", async |port| server.launch(port).await).await;
        server
    }

    /// The address to connect to: 127.0.0.1.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The TCP port; it stays the same over [`stop`](Self::stop) and
    /// [`start_again`](Self::start_again).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.install.major()
    }

    /// The password of the superuser `postgres`.
    pub fn superuser_password(&self) -> &'static str {
        SUPERUSER_PASSWORD
    }

    /// The certificate of the authority that signed the server's, PEM.
    pub fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// All that the server has logged so far, over all its starts.
    pub fn log(&self) -> String {
        self.daemon.output()
    }

    /// A client logged in as superuser to the database `postgres`, over the Unix socket.
    ///
    /// # Panics
    /// If the server does not let it in.
    pub async fn admin(&self) -> Client {
        self.admin_of("postgres").await
    }

    /// A client logged in as superuser to that database, over the Unix socket.
    ///
    /// # Panics
    /// If the server does not let it in.
    pub async fn admin_of(&self, database: &str) -> Client {
        self.connect_admin(database, self.port)
            .await
            .unwrap_or_else(|error| panic!("no superuser login: {error:?}\n{}", self.log()))
    }

    /// Stops the server; its clients' sessions are cut (fast shutdown).
    pub async fn stop(&self) {
        self.daemon.stop("INT").await;
    }

    /// Starts a stopped server on the same port, with the same data.
    ///
    /// # Panics
    /// If it does not answer within 20 s.
    pub async fn start_again(&self) {
        self.stop().await;
        if let Err(output) = self.launch(self.port).await {
            panic!("PostgreSQL did not start again:\n{output}");
        }
    }

    /// Restarts the server with further settings for `postgresql.conf`.
    ///
    /// # Panics
    /// If it does not answer within 20 s.
    pub async fn restart_with(&self, settings: &[(&str, &str)]) {
        self.stop().await;
        self.configure(settings.iter().copied());
        self.start_again().await;
    }

    /// A server that is ready to be launched. Blocks.
    fn prepare(options: &PostgresBuilder) -> Self {
        let install = match options.major {
            Some(major) => PostgresInstall::find(major),
            None => PostgresInstall::any(),
        };
        let account = Account::unprivileged();
        let server = Self {
            install,
            account,
            ca: Arc::new(TestCa::generate()),
            port: 0,
            daemon: daemon(),
            folder: scratch::server_folder("postgres", account),
        };
        template::copy_to(&server.install, account, &server.folder.path().join("data"));
        server.write_configuration(options);
        server
    }

    fn write_configuration(&self, options: &PostgresBuilder) {
        let folder = self.folder.path();
        let socket_folder = folder.display().to_string();
        self.configure([
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", socket_folder.as_str()),
            ("password_encryption", "scram-sha-256"),
            ("max_connections", "30"),
            // The data need not outlive a crash of the machine.
            ("fsync", "off"),
            ("shared_buffers", "16MB"),
        ]);
        if options.transport != Transport::PlaintextOnly {
            self.certify(&options.server_names);
        }
        let settings = options.settings.iter();
        self.configure(settings.map(|(name, value)| (name.as_str(), value.as_str())));

        let mut hba = options.hba.join("\n");
        hba.push_str("\nlocal all all trust\n");
        if options.transport != Transport::PlaintextOnly {
            hba.push_str("hostssl all all 127.0.0.1/32 scram-sha-256\n");
        }
        if options.transport != Transport::TlsOnly {
            hba.push_str("hostnossl all all 127.0.0.1/32 scram-sha-256\n");
        }
        std::fs::write(folder.join("data/pg_hba.conf"), hba).expect("the folder is writable");
    }

    /// Gives the server a certificate for these names.
    pub(super) fn certify(&self, names: &[impl AsRef<str>]) {
        let folder = self.folder.path();
        let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
        self.ca.issue(names).write(&certificate, &key);
        self.account.own_path(&key);
        self.configure([
            ("ssl", "on"),
            ("ssl_cert_file", certificate.to_str().expect("UTF-8")),
            ("ssl_key_file", key.to_str().expect("UTF-8")),
        ]);
    }

    /// Appends to `postgresql.conf`, where the last line of a name wins.
    pub(super) fn configure<'a>(&self, settings: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let path = self.folder.path().join("data/postgresql.conf");
        let mut text = std::fs::read_to_string(&path).expect("every cluster has one");
        for (name, value) in settings {
            let value = value.replace('\\', "\\\\").replace('\'', "''");
            writeln!(text, "{name} = '{value}'").expect("strings take everything");
        }
        std::fs::write(&path, text).expect("the folder is writable");
    }

    /// Starts the process and waits until it answers; the output if it ends instead.
    pub(super) async fn launch(&self, port: u16) -> Result<(), String> {
        let program = self.install.program("postgres");
        let mut command = process::command(&program, self.account, "QUIT");
        command.arg("-D").arg(self.folder.path().join("data"));
        command.arg("-p").arg(port.to_string());
        let is_ready = async || self.connect_admin("postgres", port).await.is_ok();
        self.daemon.launch(command, is_ready).await
    }

    async fn connect_admin(
        &self,
        database: &str,
        port: u16,
    ) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(self.folder.path())
            .port(port)
            .user("postgres")
            .dbname(database);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}
