//! A running broker.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::RabbitMqBuilder;
use super::install::Installation;
use crate::daemon::Daemon;
use crate::tls::TestCa;
use crate::user::Account;
use crate::{port, process, scratch};

/// The user who may do everything, and its password.
pub(super) const ADMIN: (&str, &str) = ("root", "root-of-a-test-broker");

/// What the broker writes once it takes connections.
const READY: &str = "Server startup complete";

/// How long the broker may take to start: three seconds of a processor, but there may be many others who want it.
const PATIENCE: Duration = Duration::from_mins(3);

/// Raised whenever the way of initialising changes, so that an old folder is not taken.
const FORMAT: u32 = 1;

/// A `RabbitMQ` broker; killed, and its folder removed, on drop.
#[derive(Debug)]
pub struct RabbitMqServer {
    installation: Installation,
    account: Account,
    ca: TestCa,
    settings: Vec<String>,
    ports: Ports,
    // Before the folder, since fields are dropped in this order.
    daemon: Daemon,
    folder: TempDir,
}

/// Where a broker listens, on 127.0.0.1.
#[derive(Clone, Copy, Debug, Default)]
struct Ports {
    amqps: u16,
    amqp: u16,
    https: u16,
    http: u16,
    /// For other nodes, of which there are none.
    distribution: u16,
}

impl Ports {
    fn beside(amqps: u16) -> Self {
        Self {
            amqps,
            amqp: port::free(),
            https: port::free(),
            http: port::free(),
            distribution: port::free(),
        }
    }
}

impl RabbitMqServer {
    /// Options first.
    pub fn builder() -> RabbitMqBuilder {
        RabbitMqBuilder::new()
    }

    pub(super) async fn start(options: RabbitMqBuilder) -> Self {
        let mut server = process::blocking(move || Self::prepare(options)).await;
        let chosen = std::cell::Cell::new(Ports::default());
        port::first_free("RabbitMQ", async |amqps| {
            let ports = Ports::beside(amqps);
            chosen.set(ports);
            server.launch(ports).await
        })
        .await;
        server.ports = chosen.get();
        server
    }

    /// The address to connect to: 127.0.0.1.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// AMQP 0-9-1 with TLS.
    pub fn amqps_port(&self) -> u16 {
        self.ports.amqps
    }

    /// AMQP 0-9-1 without TLS.
    pub fn amqp_port(&self) -> u16 {
        self.ports.amqp
    }

    /// The management API with TLS.
    pub fn https_port(&self) -> u16 {
        self.ports.https
    }

    /// The management API without TLS.
    pub fn http_port(&self) -> u16 {
        self.ports.http
    }

    /// Such as `3.10.8`.
    pub fn version(&self) -> &str {
        &self.installation.version
    }

    /// The certificate of the authority that signed the broker's, PEM.
    pub fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// All that the broker has logged so far, over all its starts.
    pub fn log(&self) -> String {
        self.daemon.output()
    }

    /// Kills the broker; its clients' connections are cut.
    pub async fn stop(&self) {
        self.daemon.stop("KILL").await;
    }

    /// Starts a stopped broker on the same ports, with the users that it had.
    ///
    /// # Panics
    /// If it does not answer within three minutes.
    pub async fn start_again(&self) {
        self.stop().await;
        if let Err(output) = self.launch(self.ports).await {
            panic!("RabbitMQ did not start again:\n{output}");
        }
    }

    /// A broker that is ready to be launched. Blocks.
    fn prepare(options: RabbitMqBuilder) -> Self {
        let installation = Installation::find();
        let account = Account::unprivileged();
        let ca = TestCa::generate();
        let folder = scratch::server_folder("rabbitmq", account);
        let path = |name: &str| folder.path().join(name);
        let (certificate, key) = (path("server.crt"), path("server.key"));
        ca.issue(&options.server_names).write(&certificate, &key);
        account.own_path(&key);
        let fingerprint = scratch::fingerprint(&installation.code, &installation.version);
        let name = format!("rabbitmq-{fingerprint:016x}-{FORMAT}");
        let initialise = |home: &Path| initialise(&installation, account, home);
        scratch::copy_template(&name, account, initialise, &path("data"));
        Self {
            installation,
            account,
            ca,
            settings: options.settings,
            ports: Ports::default(),
            daemon: Daemon::new("RabbitMQ", "KILL").with_patience(PATIENCE),
            folder,
        }
    }

    /// Starts the process and waits until it answers; the output if it ends instead.
    async fn launch(&self, ports: Ports) -> Result<(), String> {
        let home = self.folder.path();
        let mut configuration = configuration(ports);
        let path = |name: &str| home.join(name).display().to_string();
        let (certificate, key) = (path("server.crt"), path("server.key"));
        let Ports { amqps, https, .. } = ports;
        configuration.extend([
            format!("listeners.ssl.1 = 127.0.0.1:{amqps}"),
            "ssl_options.verify = verify_none".to_owned(),
            "management.ssl.ip = 127.0.0.1".to_owned(),
            format!("management.ssl.port = {https}"),
        ]);
        for options in ["ssl_options", "management.ssl"] {
            configuration.push(format!("{options}.cacertfile = {certificate}"));
            configuration.push(format!("{options}.certfile = {certificate}"));
            configuration.push(format!("{options}.keyfile = {key}"));
        }
        configuration.extend(self.settings.iter().cloned());
        let mut command = process::command(&self.installation.erl, self.account, "KILL");
        arrange(
            command.as_std_mut(),
            &self.installation,
            home,
            ports,
            &configuration,
        );
        let is_ready = async || self.daemon.output_since_start().contains(READY);
        let launched = self.daemon.launch(command, is_ready).await;
        launched.map_err(|output| output.replace("eaddrinuse", "Address already in use"))
    }
}

/// Makes `data` in this folder: a broker is started for the first time, and stops by itself. Blocks.
fn initialise(installation: &Installation, account: Account, home: &Path) {
    let ports = Ports::beside(port::free());
    let mut command = scratch::command(&installation.erl, account);
    let configuration = configuration(ports);
    arrange(&mut command, installation, home, ports, &configuration);
    let output = scratch::run(command.args(["-eval", "init:stop()."]));
    let output = String::from_utf8_lossy(&output.stdout);
    assert!(output.contains(READY), "not initialised:\n{output}");
}

/// The lines that every broker has.
fn configuration(ports: Ports) -> Vec<String> {
    let Ports { amqp, http, .. } = ports;
    let (username, password) = ADMIN;
    vec![
        format!("listeners.tcp.1 = 127.0.0.1:{amqp}"),
        "management.tcp.ip = 127.0.0.1".to_owned(),
        format!("management.tcp.port = {http}"),
        format!("default_user = {username}"),
        format!("default_pass = {password}"),
    ]
}

/// What the broker's own scripts do, without its shells and `epmd`: then there is one process to end. The
/// rules of the variables are in the manual, "Configuration".
fn arrange(
    command: &mut Command,
    installation: &Installation,
    home: &Path,
    ports: Ports,
    configuration: &[String],
) {
    let write = |name: &str, text: &str| -> PathBuf {
        let path = home.join(name);
        std::fs::write(&path, text).expect("the folder is writable");
        path
    };
    let (distribution, plugins) = (ports.distribution, installation.home.join("plugins"));
    let settings = write("rabbitmq.conf", &(configuration.join("\n") + "\n"));
    let enabled = write("enabled_plugins", "[rabbitmq_management].\n");
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("HOME", home)
        .env("ERL_LIBS", &plugins)
        .env("ERL_CRASH_DUMP", "/dev/null")
        .env("SYS_PREFIX", home)
        .env("RABBITMQ_HOME", &installation.home)
        .env("RABBITMQ_PLUGINS_DIR", &plugins)
        .env("RABBITMQ_NODENAME", "rabbit@localhost")
        .env("RABBITMQ_DIST_PORT", distribution.to_string())
        .env("RABBITMQ_MNESIA_BASE", home.join("data"))
        .env("RABBITMQ_LOG_BASE", home.join("log"))
        .env("RABBITMQ_LOGS", "-")
        .env("RABBITMQ_CONFIG_FILE", settings)
        .env("RABBITMQ_CONF_ENV_FILE", home.join("none"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", enabled)
        .arg("-pa")
        .arg(&installation.code)
        .args(["-noinput", "-boot", "start_sasl", "+W", "w"])
        .args(["-sname", "rabbit@localhost", "-start_epmd", "false"])
        .args(["-erl_epmd_port", &distribution.to_string()])
        .args(["-kernel", "inet_dist_use_interface", "{127,0,0,1}"])
        .args(["-kernel", "prevent_overlapping_partitions", "false"])
        .args(["-syslog", "logger", "[]"])
        .args(["-syslog", "syslog_error_logger", "false"])
        .args(["-s", "rabbit", "boot"]);
}
