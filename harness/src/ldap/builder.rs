//! What a server is started with.

use super::LdapServer;
use super::server::SUFFIX;
use crate::tls;

/// Options of an [`LdapServer`].
#[derive(Clone, Debug)]
#[must_use]
pub struct LdapBuilder {
    pub(super) modules: Vec<String>,
    pub(super) access: Vec<String>,
    /// Attributes of the configuration of the database, of the overlay for policies, and of the policy.
    pub(super) database: Vec<String>,
    pub(super) policies: Vec<String>,
    pub(super) policy: Vec<String>,
    pub(super) entries: Vec<String>,
    pub(super) server_names: Vec<String>,
    pub(super) log_level: String,
}

impl LdapBuilder {
    pub(super) fn new() -> Self {
        Self {
            modules: vec!["back_mdb".to_owned()],
            access: Vec::new(),
            database: Vec::new(),
            policies: Vec::new(),
            policy: Vec::new(),
            entries: Vec::new(),
            server_names: tls::local_names(),
            log_level: "stats".to_owned(),
        }
    }

    /// Loads a module of Debian's package, such as `pw-sha2`.
    pub fn module(mut self, name: &str) -> Self {
        self.modules.push(name.to_owned());
        self
    }

    /// A rule of `olcAccess`, such as `to * by users read`; they hold in the order in which they are given.
    /// Without any, the server has Debian's.
    pub fn access(mut self, rule: &str) -> Self {
        self.access.push(rule.to_owned());
        self
    }

    /// An attribute of the database's configuration, such as `olcReadOnly: TRUE`.
    pub fn database(mut self, line: &str) -> Self {
        self.database.push(line.to_owned());
        self
    }

    /// An attribute of the default password policy, such as `pwdMaxFailure: 3`. Without any there is none.
    pub fn policy(mut self, line: &str) -> Self {
        self.policy.push(line.to_owned());
        self
    }

    /// An attribute of the configuration of policies, such as `olcPPolicyUseLockout: TRUE`.
    pub fn policies(mut self, line: &str) -> Self {
        self.policies.push(line.to_owned());
        self
    }

    /// An entry below `ou=services`, that logs in with a password. The value is stored as it is given, so it
    /// may be a hash.
    pub fn user(mut self, uid: &str, password: &str) -> Self {
        self.entries.push(format!(
            "dn: uid={uid},ou=services,{SUFFIX}\nobjectClass: account\nobjectClass: simpleSecurityObject\n\
             uid: {uid}\nuserPassword: {password}\n"
        ));
        self
    }

    /// Any other entry, as LDIF.
    pub fn entry(mut self, ldif: &str) -> Self {
        self.entries.push(format!("{}\n", ldif.trim()));
        self
    }

    /// The DNS names and IP addresses in the server's certificate, instead of `localhost` and
    /// `127.0.0.1`.
    pub fn server_names(mut self, names: &[&str]) -> Self {
        self.server_names = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// What the server logs, such as `any` or `-1`; by default `stats`.
    pub fn log_level(mut self, level: &str) -> Self {
        level.clone_into(&mut self.log_level);
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    /// If it is not installed, or does not answer within 20 s.
    pub async fn start(self) -> LdapServer {
        LdapServer::start(self).await
    }
}
