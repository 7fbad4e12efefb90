//! What a secret says about servers and a user, checked once.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;

use crate::tls::CaCertificates;

const DEFAULT_PORT: u16 = 6379;

/// A user of one or several servers, with its password and the way to reach them.
pub struct RedisCredential {
    pub(super) host: String,
    /// All servers that hold the user; never empty.
    pub(super) nodes: Vec<Node>,
    pub(super) login: Login,
    pub(super) tls: Tls,
    pub(super) admin: Option<SecretId>,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Who logs in.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: SecretString,
}

/// How the connections are protected.
#[derive(Clone)]
pub(super) enum Tls {
    /// Each server must prove to be itself.
    Verified {
        /// The name in all certificates, instead of the host of each server.
        server_name: Option<String>,
        /// The secret's own authorities.
        ca: Option<CaCertificates>,
    },
    /// Because the secret says so.
    Plaintext,
}

impl TryFrom<&SecretDocument> for RedisCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        check_engine(secret)?;
        let host = plain(secret.text("host")?);
        let port = secret.port("port")?.unwrap_or(DEFAULT_PORT);
        let first = Node {
            host: host.clone(),
            port,
        };
        Ok(Self {
            nodes: nodes(secret)?.unwrap_or_else(|| vec![first]),
            login: Login::try_from(secret)?,
            tls: if secret.flag("ssl")? == Some(false) {
                Tls::Plaintext
            } else {
                Tls::Verified {
                    server_name: secret.optional_text("tls_server_name")?.map(plain),
                    ca: CaCertificates::of(secret)?,
                }
            },
            admin: secret
                .optional_text("masterarn")?
                .map(|arn| SecretId::from(arn.expose_secret())),
            host,
        })
    }
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let username = secret.optional_text("username")?;
        let username = username.map_or_else(|| "default".to_owned(), plain);
        // What the server refuses (`ACLStringHasSpaces`), told before anything is sent.
        if username.contains(|c: char| c.is_ascii_whitespace() || matches!(c, '\0' | '\x0b')) {
            return Err(DocumentError::Unsuitable {
                key: "username",
                expected: "free of spaces and zero bytes, as names of users are",
            });
        }
        Ok(Self {
            username,
            password: secret.text("password")?,
        })
    }
}

/// The admin that `masterarn` names: a user of the same servers.
pub(super) struct AdminCredential {
    pub(super) login: Login,
    /// As far as the admin's secret names one.
    host: Option<String>,
}

impl AdminCredential {
    pub(super) fn is_for(&self, host: &str) -> bool {
        self.host
            .as_deref()
            .is_none_or(|own| own.eq_ignore_ascii_case(host))
    }
}

impl TryFrom<&SecretDocument> for AdminCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        check_engine(secret)?;
        Ok(Self {
            login: Login::try_from(secret)?,
            host: secret.optional_text("host")?.map(plain),
        })
    }
}

fn check_engine(secret: &SecretDocument) -> Result<(), DocumentError> {
    let engine = secret.optional_text("engine")?;
    match engine.as_ref().map(ExposeSecret::expose_secret) {
        None | Some("redis" | "valkey") => Ok(()),
        Some(_) => Err(DocumentError::Unsuitable {
            key: "engine",
            expected: "redis or valkey",
        }),
    }
}

fn nodes(secret: &SecretDocument) -> Result<Option<Vec<Node>>, DocumentError> {
    let Some(texts) = secret.optional_texts("nodes")? else {
        return Ok(None);
    };
    let nodes: Option<Vec<_>> = texts.into_iter().map(|text| node(&plain(text))).collect();
    match nodes {
        Some(nodes) if !nodes.is_empty() => Ok(Some(nodes)),
        _ => Err(DocumentError::WrongType {
            key: "nodes",
            expected: "a list of one or more \"host:port\"",
        }),
    }
}

/// `host:port`; an IPv6 address stands in brackets.
fn node(text: &str) -> Option<Node> {
    let (host, port) = text.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let port = port.parse().ok().filter(|&port| port != 0)?;
    (!host.is_empty()).then(|| Node {
        host: host.to_owned(),
        port,
    })
}

/// What is no secret.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the secret form is wiped here"
)]
fn plain(text: SecretString) -> String {
    text.expose_secret().to_owned()
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for RedisCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCredential")
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login([redacted])")
    }
}

impl fmt::Debug for AdminCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminCredential([redacted])")
    }
}

#[cfg(test)]
mod tests;
