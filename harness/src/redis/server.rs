//! A running server.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::RedisBuilder;
use super::builder::AclFile;
use super::install::Product;
use crate::daemon::Daemon;
use crate::tls::{TestCa, Transport};
use crate::user::Account;
use crate::{port, process, scratch};

/// The password of the user `default`, who may do everything.
const ADMIN_PASSWORD: &str = "default-of-a-test-server";

/// What the server writes once it takes connections.
const READY: &str = "Ready to accept connections";

/// A Redis or Valkey server; stopped, and its folder removed, on drop.
#[derive(Debug)]
pub struct RedisServer {
    product: Product,
    program: PathBuf,
    version: String,
    account: Account,
    ca: TestCa,
    transport: Transport,
    port: u16,
    // Before the folder, since fields are dropped in this order.
    daemon: Daemon,
    folder: TempDir,
}

impl RedisServer {
    /// Options first.
    pub fn builder() -> RedisBuilder {
        RedisBuilder::new()
    }

    pub(super) async fn start(options: RedisBuilder) -> Self {
        let mut server = process::blocking(move || Self::prepare(&options)).await;
        let name = server.product.name();
        server.port = port::first_free(name, async |port| server.launch(port).await).await;
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

    /// What the server program says of its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The password of the user `default`, who may do everything.
    pub fn admin_password(&self) -> &'static str {
        ADMIN_PASSWORD
    }

    /// `rediss://default:PASSWORD@127.0.0.1:PORT`, or `redis://` without TLS.
    pub fn admin_url(&self) -> String {
        let scheme = match self.transport {
            Transport::PlaintextOnly => "redis",
            Transport::TlsOnly | Transport::TlsAndPlaintext => "rediss",
        };
        let (host, port) = (self.host(), self.port);
        format!("{scheme}://default:{ADMIN_PASSWORD}@{host}:{port}")
    }

    /// The certificate of the authority that signed the server's, PEM.
    pub fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// All that the server has logged so far, over all its starts.
    pub fn log(&self) -> String {
        self.daemon.output()
    }

    /// What the file of users holds now: a server that was started with one.
    ///
    /// # Panics
    /// If it was started without.
    pub fn acl_file(&self) -> String {
        let file = std::fs::read_to_string(self.path("users.acl"));
        file.expect("the server was started with a file of users")
    }

    /// Stops the server; its clients' sessions are cut.
    pub async fn stop(&self) {
        self.daemon.stop("TERM").await;
    }

    /// Starts a stopped server on the same port. Nothing but the file of users is kept.
    ///
    /// # Panics
    /// If it does not answer within 20 s.
    pub async fn start_again(&self) {
        self.stop().await;
        if let Err(output) = self.launch(self.port).await {
            panic!("{} did not start again:\n{output}", self.product.name());
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server that is ready to be launched. Blocks.
    fn prepare(options: &RedisBuilder) -> Self {
        let product = options.product;
        let (program, version) = product.find();
        let account = Account::unprivileged();
        let server = Self {
            product,
            program,
            version,
            account,
            ca: TestCa::generate(),
            transport: options.transport,
            port: 0,
            daemon: Daemon::new(product.name(), "KILL"),
            folder: scratch::server_folder(&product.name().to_lowercase(), account),
        };
        server.write_configuration(options);
        server
    }

    fn write_configuration(&self, options: &RedisBuilder) {
        let mut text = String::new();
        let mut add = |name: &str, value: &str| {
            let value = value.replace('\\', r"\\").replace('"', "\\\"");
            writeln!(text, "{name} \"{value}\"").expect("strings take everything");
        };
        let utf8 = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        add("bind", "127.0.0.1");
        add("dir", &utf8(self.folder.path()));
        // Nothing is written to disk.
        add("save", "");
        match options.acl_file {
            AclFile::Without => add("requirepass", ADMIN_PASSWORD),
            AclFile::With => {
                let file = self.path("users.acl");
                let mut users = format!("user default on >{ADMIN_PASSWORD} ~* &* +@all\n");
                for user in &options.users {
                    writeln!(users, "user {user}").expect("strings take everything");
                }
                std::fs::write(&file, users).expect("the folder is writable");
                // `ACL SAVE` replaces it.
                self.account.own_path(&file);
                add("aclfile", &utf8(&file));
            }
        }
        if options.transport != Transport::PlaintextOnly {
            let (certificate, key) = (self.path("server.crt"), self.path("server.key"));
            let issued = self.ca.issue(&options.server_names);
            issued.write(&certificate, &key);
            self.account.own_path(&key);
            add("tls-cert-file", &utf8(&certificate));
            add("tls-key-file", &utf8(&key));
            // Whose certificates clients show; they need not show one.
            add("tls-ca-cert-file", &utf8(&certificate));
            add("tls-auth-clients", "no");
        }
        for (name, value) in &options.settings {
            add(name, value);
        }
        std::fs::write(self.path("server.conf"), text).expect("the folder is writable");
    }

    /// Starts the process and waits until it answers; the output if it ends instead.
    async fn launch(&self, port: u16) -> Result<(), String> {
        let (plaintext, tls) = match self.transport {
            Transport::PlaintextOnly => (port, 0),
            Transport::TlsOnly | Transport::TlsAndPlaintext => (0, port),
        };
        let mut command = process::command(&self.program, self.account, "KILL");
        command.arg(self.path("server.conf"));
        command.args(["--port", &plaintext.to_string()]);
        if tls != 0 {
            command.args(["--tls-port", &tls.to_string()]);
        }
        let is_ready = async || self.daemon.output_since_start().contains(READY);
        self.daemon.launch(command, is_ready).await
    }
}
