//! A running server.

use std::fmt::Write as _;
use std::marker::PhantomData;
use std::path::PathBuf;

use tempfile::TempDir;

use super::edition::{self, ROOT_PASSWORD};
use super::{Builder, Edition, template};
use crate::daemon::Daemon;
use crate::tls::{TestCa, Transport};
use crate::user::Account;
use crate::{port, process, scratch};

/// What both servers write to the error log once they take connections.
const READY: &str = "ready for connections";

/// A server of one [`Edition`]; stopped, and its folder removed, on drop.
#[derive(Debug)]
pub struct Server<E> {
    program: PathBuf,
    version: String,
    account: Account,
    ca: TestCa,
    port: u16,
    // Before the folder, since fields are dropped in this order.
    daemon: Daemon,
    folder: TempDir,
    edition: PhantomData<E>,
}

impl<E: Edition> Server<E> {
    /// Options first.
    pub fn builder() -> Builder<E> {
        Builder::new()
    }

    pub(super) async fn start(options: Builder<E>) -> Self {
        let mut server = process::blocking(move || Self::prepare(&options)).await;
        server.port = port::first_free(E::NAME, async |port| server.launch(port).await).await;
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

    /// The Unix socket, over which TLS is not required.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("server.sock")
    }

    /// What the server program says of its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The password of `root@localhost`, who may do everything.
    pub fn root_password(&self) -> &'static str {
        ROOT_PASSWORD
    }

    /// `mysql://root:PASSWORD@127.0.0.1:PORT/`. It says nothing about TLS, which the client has to
    /// be told of besides. `mysql_async` goes on to the Unix socket, and so without TLS, unless it
    /// is told `prefer_socket(false)`.
    pub fn root_url(&self) -> String {
        let (host, port) = (self.host(), self.port);
        format!("mysql://root:{ROOT_PASSWORD}@{host}:{port}/")
    }

    /// The certificate of the authority that signed the server's, PEM.
    pub fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// All that the server has logged so far, over all its starts: the error log, then the general
    /// log, which is empty without the setting `general_log`, `ON`.
    pub fn log(&self) -> String {
        let mut log = self.daemon.output();
        let general = std::fs::read(self.folder.path().join("general.log")).unwrap_or_default();
        log.push_str(&String::from_utf8_lossy(&general));
        log
    }

    /// What the error log has got since the present start, from this byte on: for those who look often.
    pub fn error_log_from(&self, start: u64) -> Vec<u8> {
        self.daemon.output_from(start)
    }

    /// Stops the server; its clients' sessions are cut.
    pub async fn stop(&self) {
        self.daemon.stop("TERM").await;
    }

    /// Starts a stopped server on the same port, with the same data.
    ///
    /// # Panics
    /// If it does not answer within 20 s.
    pub async fn start_again(&self) {
        self.stop().await;
        if let Err(output) = self.launch(self.port).await {
            panic!("{} did not start again:\n{output}", E::NAME);
        }
    }

    /// Restarts the server with further settings.
    ///
    /// # Panics
    /// If it does not answer within 20 s.
    pub async fn restart_with(&self, settings: &[(&str, &str)]) {
        self.stop().await;
        self.configure(settings.iter().copied());
        self.start_again().await;
    }

    /// A server that is ready to be launched. Blocks.
    fn prepare(options: &Builder<E>) -> Self {
        let (program, version) = edition::find::<E>();
        let account = Account::unprivileged();
        let server = Self {
            program,
            version,
            account,
            ca: TestCa::generate(),
            port: 0,
            daemon: Daemon::new(E::NAME, "KILL"),
            folder: scratch::server_folder(&E::NAME.to_lowercase(), account),
            edition: PhantomData,
        };
        let data = server.folder.path().join("data");
        template::copy_to::<E>(&server.program, &server.version, account, &data);
        server.write_configuration(options);
        server
    }

    fn write_configuration(&self, options: &Builder<E>) {
        let path = |name: &str| {
            let path = self.folder.path().join(name).into_os_string();
            path.into_string().expect("UTF-8")
        };
        std::fs::write(path("my.cnf"), "[mysqld]\n").expect("the folder is writable");
        self.configure([
            ("datadir", path("data").as_str()),
            ("socket", path("server.sock").as_str()),
            ("pid_file", path("server.pid").as_str()),
            ("tmpdir", path("").as_str()),
            ("general_log_file", path("general.log").as_str()),
            ("log_output", "FILE"),
            ("bind_address", "127.0.0.1"),
            ("max_connections", "30"),
            // Small; and the data need not outlive a crash of the machine.
            ("performance_schema", "OFF"),
            ("innodb_buffer_pool_size", "16M"),
            ("innodb_doublewrite", "OFF"),
            ("innodb_flush_method", "nosync"),
            ("innodb_flush_log_at_trx_commit", "0"),
            ("innodb_use_native_aio", "OFF"),
        ]);
        self.configure(E::SETTINGS.iter().copied());
        if options.transport == Transport::PlaintextOnly {
            self.configure([E::WITHOUT_TLS]);
        } else {
            let (certificate, key) = (path("server.crt"), path("server.key"));
            let issued = self.ca.issue(&options.server_names);
            issued.write(certificate.as_ref(), key.as_ref());
            self.account.own_path(key.as_ref());
            self.configure([
                ("ssl_cert", certificate.as_str()),
                ("ssl_key", key.as_str()),
            ]);
        }
        if options.transport == Transport::TlsOnly {
            self.configure([("require_secure_transport", "ON")]);
        }
        let settings = options.settings.iter();
        self.configure(settings.map(|(name, value)| (name.as_str(), value.as_str())));
    }

    /// Appends to the configuration, where the last line of a name wins.
    fn configure<'a>(&self, settings: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let path = self.folder.path().join("my.cnf");
        let mut text = std::fs::read_to_string(&path).expect("it was written at first");
        for (name, value) in settings {
            // The format has no escape for its own quotes.
            assert!(!value.contains(['"', '\n']), "cannot be quoted: {value}");
            let value = value.replace('\\', r"\\");
            writeln!(text, "{name} = \"{value}\"").expect("strings take everything");
        }
        std::fs::write(&path, text).expect("the folder is writable");
    }

    /// Starts the process and waits until it answers; the output if it ends instead.
    async fn launch(&self, port: u16) -> Result<(), String> {
        let mut command = process::command(&self.program, self.account, "KILL");
        let configuration = self.folder.path().join("my.cnf");
        // Must be the first option.
        command.arg(format!("--defaults-file={}", configuration.display()));
        command.arg(format!("--port={port}"));
        // The output is asked and not the port, on which another process may be the one to answer.
        let is_ready = async || self.daemon.output_since_start().contains(READY);
        self.daemon.launch(command, is_ready).await
    }
}
