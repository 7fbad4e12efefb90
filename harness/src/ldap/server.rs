//! A running server.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::LdapBuilder;
use crate::daemon::Daemon;
use crate::tls::TestCa;
use crate::user::Account;
use crate::{port, process, scratch};

/// Where the directory begins.
pub const SUFFIX: &str = "dc=example,dc=com";
/// Who may do everything.
pub const ROOT: &str = "cn=root,dc=example,dc=com";
/// The password of [`ROOT`].
pub const ROOT_PASSWORD: &str = "root-of-a-test-server";

/// Where Debian's package has it all.
const PROGRAM: &str = "/usr/sbin/slapd";
const MODULES: &str = "/usr/lib/ldap";
const SCHEMA: &str = "/etc/ldap/schema";

/// What the server writes once it has its ports.
const READY: &str = "slapd starting";

/// The rules that Debian's package sets up.
const ACCESS: [&str; 2] = [
    "to attrs=userPassword by self write by anonymous auth by * none",
    "to * by * read",
];

/// An `OpenLDAP` server; stopped, and its folder removed, on drop.
#[derive(Debug)]
pub struct LdapServer {
    program: PathBuf,
    version: String,
    account: Account,
    ca: TestCa,
    log_level: String,
    port: u16,
    // Before the folder, since fields are dropped in this order.
    daemon: Daemon,
    folder: TempDir,
}

impl LdapServer {
    /// Options first.
    pub fn builder() -> LdapBuilder {
        LdapBuilder::new()
    }

    pub(super) async fn start(options: LdapBuilder) -> Self {
        let mut server = process::blocking(move || Self::prepare(&options)).await;
        server.port = port::first_free("slapd", async |port| server.launch(port).await).await;
        server
    }

    /// The address to connect to: 127.0.0.1.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The TCP port for LDAPS; it stays the same over [`stop`](Self::stop) and
    /// [`start_again`](Self::start_again), as the other one does.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The TCP port for plaintext and `StartTLS`.
    pub fn plain_port(&self) -> u16 {
        self.port + 1
    }

    /// What the server program says of its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The certificate of the authority that signed the server's, PEM.
    pub fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// All that the server has logged so far, over all its starts.
    pub fn log(&self) -> String {
        self.daemon.output()
    }

    /// What the server has logged since its last start, from this byte on. A bind is logged before it is
    /// answered: `BIND dn="..." method=128`, and `BIND dn="..." mech=SIMPLE` where it is accepted.
    pub fn log_from(&self, start: usize) -> Vec<u8> {
        self.daemon.output_from(start as u64)
    }

    /// All that the server has on disk, in the form of its files: for looking for what must not be there.
    ///
    /// # Panics
    /// If the files cannot be read.
    pub fn files(&self) -> String {
        let folder = std::fs::read_dir(self.path("data")).expect("the folder is there");
        let files = folder.flatten().map(|file| {
            let bytes = std::fs::read(file.path()).expect("the files can be read");
            String::from_utf8_lossy(&bytes).into_owned()
        });
        files.collect()
    }

    /// Stops the server; its clients' sessions are cut.
    pub async fn stop(&self) {
        self.daemon.stop("TERM").await;
    }

    /// Starts a stopped server on the same ports.
    ///
    /// # Panics
    /// If it does not answer within 20 s.
    pub async fn start_again(&self) {
        self.stop().await;
        if let Err(output) = self.launch(self.port).await {
            panic!("slapd did not start again:\n{output}");
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server that is ready to be launched. Blocks.
    fn prepare(options: &LdapBuilder) -> Self {
        let (program, version) = find();
        let account = Account::unprivileged();
        let server = Self {
            program,
            version,
            account,
            ca: TestCa::generate(),
            log_level: options.log_level.clone(),
            port: 0,
            daemon: Daemon::new("slapd", "KILL"),
            folder: scratch::server_folder("slapd", account),
        };
        for folder in ["conf", "data"] {
            let folder = server.path(folder);
            std::fs::create_dir(&folder).expect("the folder is writable");
            account.own_path(&folder);
        }
        let (certificate, key) = (server.path("server.crt"), server.path("server.key"));
        let issued = server.ca.issue(&options.server_names);
        issued.write(&certificate, &key);
        account.own_path(&key);
        server.load("0", &server.configuration(options));
        server.load("1", &entries(options));
        server
    }

    /// Puts LDIF into the database of that number.
    fn load(&self, database: &str, ldif: &str) {
        let file = self.path("load.ldif");
        std::fs::write(&file, ldif).expect("the folder is writable");
        let mut load = scratch::command(&self.program, self.account);
        load.args(["-T", "add", "-n", database, "-F"]);
        scratch::run(load.arg(self.path("conf")).arg("-l").arg(&file));
        std::fs::remove_file(file).expect("it was just written");
    }

    fn configuration(&self, options: &LdapBuilder) -> String {
        let utf8 = |path: PathBuf| path.to_str().expect("UTF-8").to_owned();
        let mut text = String::new();
        let mut modules = options.modules.clone();
        if !options.policy.is_empty() {
            modules.push("ppolicy".to_owned());
        }
        let modules = lines(&modules, |_, module| format!("olcModuleLoad: {module}"));
        let mut access: Vec<&str> = options.access.iter().map(String::as_str).collect();
        if access.is_empty() {
            access.extend(ACCESS);
        }
        let access = lines(&access, |n, rule| format!("olcAccess: {{{n}}}{rule}"));
        let database = lines(&options.database, |_, line| line.to_owned());
        let written = write!(
            text,
            "dn: cn=config\nobjectClass: olcGlobal\ncn: config\nolcTLSCertificateFile: {}\n\
             olcTLSCertificateKeyFile: {}\nolcThreads: 2\n\n\
             dn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n\n\
             include: file://{SCHEMA}/core.ldif\ninclude: file://{SCHEMA}/cosine.ldif\n\n\
             dn: cn=module{{0}},cn=config\nobjectClass: olcModuleList\ncn: module{{0}}\n\
             olcModulePath: {MODULES}\n{modules}\n\
             dn: olcDatabase={{-1}}frontend,cn=config\nobjectClass: olcDatabaseConfig\n\
             objectClass: olcFrontendConfig\nolcDatabase: {{-1}}frontend\n\n\
             dn: olcDatabase={{0}}config,cn=config\nobjectClass: olcDatabaseConfig\n\
             olcDatabase: {{0}}config\nolcRootDN: {ROOT}\n\n\
             dn: olcDatabase={{1}}mdb,cn=config\nobjectClass: olcDatabaseConfig\n\
             objectClass: olcMdbConfig\nolcDatabase: {{1}}mdb\nolcSuffix: {SUFFIX}\n\
             olcDbDirectory: {}\nolcRootDN: {ROOT}\nolcRootPW: {ROOT_PASSWORD}\n\
             olcDbMaxSize: 33554432\nolcDbNoSync: TRUE\n{access}{database}\n",
            utf8(self.path("server.crt")),
            utf8(self.path("server.key")),
            utf8(self.path("data")),
        );
        written.expect("strings take everything");
        if !options.policy.is_empty() {
            let policies = lines(&options.policies, |_, line| line.to_owned());
            let written = write!(
                text,
                "dn: olcOverlay={{0}}ppolicy,olcDatabase={{1}}mdb,cn=config\n\
                 objectClass: olcOverlayConfig\nobjectClass: olcPPolicyConfig\n\
                 olcOverlay: {{0}}ppolicy\nolcPPolicyDefault: cn=policy,{SUFFIX}\n{policies}\n"
            );
            written.expect("strings take everything");
        }
        text
    }

    /// Starts the process and waits until it answers; the output if it ends instead.
    async fn launch(&self, port: u16) -> Result<(), String> {
        let mut command = process::command(&self.program, self.account, "KILL");
        let plain = port + 1;
        let host = self.host();
        command.args(["-d", &self.log_level, "-h"]);
        command.arg(format!("ldaps://{host}:{port}/ ldap://{host}:{plain}/"));
        command.arg("-F").arg(self.path("conf"));
        // It says so just before it listens.
        let listens = |port| std::net::TcpStream::connect((host, port)).is_ok();
        let is_ready = async || {
            self.daemon.output_since_start().contains(READY) && listens(port) && listens(plain)
        };
        self.daemon.launch(command, is_ready).await
    }
}

fn entries(options: &LdapBuilder) -> String {
    let mut text = format!(
        "dn: {SUFFIX}\nobjectClass: domain\ndc: example\n\n\
         dn: ou=services,{SUFFIX}\nobjectClass: organizationalUnit\nou: services\n\n"
    );
    if !options.policy.is_empty() {
        let policy = lines(&options.policy, |_, line| line.to_owned());
        let written = write!(
            text,
            "dn: cn=policy,{SUFFIX}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: policy\n\
             pwdAttribute: userPassword\n{policy}\n"
        );
        written.expect("strings take everything");
    }
    for entry in &options.entries {
        text += entry;
        text.push('\n');
    }
    text
}

/// One line each, by what is made of its number and text.
fn lines(all: &[impl AsRef<str>], line: impl Fn(usize, &str) -> String) -> String {
    let lines = all.iter().enumerate();
    lines
        .map(|(n, text)| line(n, text.as_ref()) + "\n")
        .collect()
}

/// The server program, and what it says of its version. Searched, in this order: the program named in
/// `SLAPD`, then the PATH, then where Debian has it.
///
/// # Panics
/// If there is none; the message says how to get it.
fn find() -> (PathBuf, String) {
    let named = std::env::var_os("SLAPD").map(PathBuf::from);
    let found = named
        .or_else(|| process::search_path(OsStr::new("slapd")))
        .unwrap_or_else(|| Path::new(PROGRAM).to_owned());
    // It says its version on standard error, and ends with 0 or 1, by its version.
    let answer = Command::new(&found).arg("-VV").output();
    let version = answer.ok().map(|answer| answer.stderr);
    let version = version.and_then(|text| String::from_utf8(text).ok());
    let version = version.filter(|text| text.contains("OpenLDAP"));
    let version = version.unwrap_or_else(|| {
        panic!(
            "an OpenLDAP server is needed and was not found: get it with `./test --setup`, or name the program \
             in SLAPD (Debian's package is `slapd`, which would also run it as a service)"
        )
    });
    (found, version.trim().to_owned())
}
