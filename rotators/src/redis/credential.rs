//! What a secret says about servers and a user, checked once.

use std::fmt;

use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;

pub(super) use crate::database::{AdminCredential, Login, Tls};
use crate::database::{Family, admin_of, plain};

const DEFAULT_PORT: u16 = 6379;

/// What is particular to the secrets of these servers.
pub(super) const FAMILY: Family = Family {
    engines: &["redis", "valkey"],
    expected: "redis or valkey",
    login,
};

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

impl TryFrom<&SecretDocument> for RedisCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        if let Some(engine) = secret.optional_text("engine")? {
            FAMILY.check_engine(&engine)?;
        }
        let host = plain(secret.text("host")?);
        let port = secret.port("port")?.unwrap_or(DEFAULT_PORT);
        let first = Node {
            host: host.clone(),
            port,
        };
        Ok(Self {
            nodes: nodes(secret)?.unwrap_or_else(|| vec![first]),
            login: login(secret)?,
            tls: Tls::of(secret)?,
            admin: admin_of(secret)?,
            host,
        })
    }
}

fn login(secret: &SecretDocument) -> Result<Login, DocumentError> {
    let username = secret.optional_text("username")?;
    let username = username.map_or_else(|| "default".to_owned(), plain);
    // What the server refuses (`ACLStringHasSpaces`), told before anything is sent.
    if username.contains(|c: char| c.is_ascii_whitespace() || matches!(c, '\0' | '\x0b')) {
        return Err(DocumentError::Unsuitable {
            key: "username",
            expected: "free of spaces and zero bytes, as names of users are",
        });
    }
    Ok(Login {
        username,
        password: secret.text("password")?,
    })
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

#[cfg(test)]
mod tests;
