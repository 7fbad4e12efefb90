//! A running server.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls};

use super::builder::{PostgresBuilder, Transport};
use super::{PostgresInstall, template};
use crate::port;
use crate::process::{self, Process};
use crate::tls::TestCa;
use crate::user::Account;

/// The superuser is `postgres`, with this password.
pub(super) const SUPERUSER_PASSWORD: &str = "superuser-of-a-test-server";

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// A `PostgreSQL` server; stopped, and its folder removed, on drop.
#[derive(Debug)]
pub struct PostgresServer {
    install: PostgresInstall,
    account: Account,
    ca: TestCa,
    port: u16,
    process: Mutex<Option<Process>>,
    /// The output of processes that were stopped.
    past_output: Mutex<String>,
    folder: TempDir,
}

impl PostgresServer {
    /// Options first.
    pub fn builder() -> PostgresBuilder {
        PostgresBuilder::new()
    }

    pub(super) async fn start(options: PostgresBuilder) -> Self {
        let prepare = tokio::task::spawn_blocking(move || Self::prepare(&options));
        let mut server = match prepare.await {
            Ok(server) => server,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        // Another process may take the port between the choice and the start.
        for _ in 0..10 {
            server.port = port::free();
            match server.launch().await {
                Ok(()) => return server,
                Err(output) if output.contains("Address already in use") => {}
                Err(output) => panic!("PostgreSQL did not start:\n{output}"),
            }
        }
        panic!("ten ports tried, each was taken by another process")
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
        let mut log = self.past_output.lock().expect("not poisoned").clone();
        let process = self.process.lock().expect("not poisoned");
        if let Some(process) = process.as_ref() {
            log.push_str(&process.output());
        }
        log
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
        self.connect_admin(database)
            .await
            .unwrap_or_else(|error| panic!("no superuser login: {error:?}\n{}", self.log()))
    }

    /// Stops the server; its clients' sessions are cut (fast shutdown).
    pub async fn stop(&self) {
        let Some(process) = self.take_process() else {
            return;
        };
        process.signal("INT");
        let stopped = tokio::time::timeout(PATIENCE, process.exited()).await;
        let mut past = self.past_output.lock().expect("not poisoned");
        past.push_str(&process.output());
        assert!(stopped.is_ok(), "PostgreSQL did not stop:\n{past}");
    }

    /// Starts a stopped server on the same port, with the same data.
    ///
    /// # Panics
    /// If it does not answer within 20 s.
    pub async fn start_again(&self) {
        self.stop().await;
        if let Err(output) = self.launch().await {
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
        remove_left_behind();
        let install = match options.major {
            Some(major) => PostgresInstall::find(major),
            None => PostgresInstall::any(),
        };
        let account = Account::unprivileged();
        let prefix = format!("{FOLDER_PREFIX}{}-", std::process::id());
        let server = Self {
            install,
            account,
            ca: TestCa::generate(),
            port: 0,
            process: Mutex::new(None),
            past_output: Mutex::default(),
            folder: template::temporary_folder(&prefix, account),
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
            let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
            let names: Vec<&str> = options.server_names.iter().map(String::as_str).collect();
            self.ca.issue(&names).write(&certificate, &key);
            self.account.own_path(&key);
            self.configure([
                ("ssl", "on"),
                ("ssl_cert_file", certificate.to_str().expect("UTF-8")),
                ("ssl_key_file", key.to_str().expect("UTF-8")),
            ]);
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

    /// Appends to `postgresql.conf`, where the last line of a name wins.
    fn configure<'a>(&self, settings: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let path = self.folder.path().join("data/postgresql.conf");
        let mut text = std::fs::read_to_string(&path).expect("every cluster has one");
        for (name, value) in settings {
            let value = value.replace('\\', "\\\\").replace('\'', "''");
            writeln!(text, "{name} = '{value}'").expect("strings take everything");
        }
        std::fs::write(&path, text).expect("the folder is writable");
    }

    /// Starts the process and waits until it answers; the output if it ends instead.
    async fn launch(&self) -> Result<(), String> {
        // On SIGQUIT the server ends at once and takes its own children and shared memory along.
        let program = self.install.program("postgres");
        let mut command = process::command(&program, self.account, "QUIT");
        command.arg("-D").arg(self.folder.path().join("data"));
        command.arg("-p").arg(self.port.to_string());
        *self.process.lock().expect("not poisoned") = Some(Process::spawn(command));

        let deadline = Instant::now() + PATIENCE;
        loop {
            let Err(error) = self.connect_admin("postgres").await else {
                return Ok(());
            };
            if self.has_ended() {
                return Err(self.take_process().map_or(String::new(), |it| it.output()));
            }
            assert!(
                Instant::now() < deadline,
                "PostgreSQL does not answer: {error:?}\n{}",
                self.log()
            );
            // A server tells nobody that it is ready: it has to be asked.
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn connect_admin(&self, database: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(self.folder.path())
            .port(self.port)
            .user("postgres")
            .dbname(database);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    fn has_ended(&self) -> bool {
        let process = self.process.lock().expect("not poisoned");
        process.as_ref().is_none_or(|it| it.status().is_some())
    }

    fn take_process(&self) -> Option<Process> {
        // Also called on drop, where a panic elsewhere must not become a second one.
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.take()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(process) = self.take_process() {
            process.signal("QUIT");
            process.wait_blocking(PATIENCE);
        }
    }
}

const FOLDER_PREFIX: &str = "secrets-rotation-postgres-";

/// Removes the folders of test processes that were killed before they could do so themselves.
fn remove_left_behind() {
    let entries = std::fs::read_dir(std::env::temp_dir());
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| {
            let (process, _) = name.strip_prefix(FOLDER_PREFIX)?.split_once('-')?;
            process.parse::<u32>().ok()
        });
        if owner.is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists()) {
            // Another test process may be removing it, too.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
