//! What a secret says about a server and a user, checked once.

use std::fmt;

use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::rotator::RotatorError;

use crate::database::pair::{self, Partner};
use crate::database::turns::Turn;
pub(super) use crate::database::{AdminCredential, Login, Tls};
use crate::database::{Family, admin_of, plain};

const DEFAULT_PORT: u16 = 27017;

/// Of `DocumentDB` (its developer guide, "Quotas and limits").
const LONGEST_NAME: usize = 63;

/// What is particular to the secrets of these servers.
pub(super) const FAMILY: Family = Family {
    engines: &["mongo", "mongodb", "documentdb", "docdb"],
    expected: "mongo, mongodb, documentdb or docdb",
    login: |secret| {
        Ok(Login {
            username: plain(secret.text("username")?),
            password: secret.text("password")?,
        })
    },
};

/// A user of a server, with its password and the way to reach it.
pub struct MongoDbCredential {
    pub(super) node: Node,
    pub(super) user: User,
    pub(super) tls: Tls,
    pub(super) admin: Option<SecretId>,
    /// The two users that take turns, where the secret names both. What is wrong with them matters to
    /// alternating users only: to others the key belongs to somebody else.
    usernames: Result<Option<[String; 2]>, DocumentError>,
    /// How many characters the name of a user may have, where that is known: `engine` says `DocumentDB`.
    longest_name: Option<usize>,
}

/// Who logs in. Two users of one name in two databases are two users.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) login: Login,
    /// Where the user was created, and is looked up.
    pub(super) database: String,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Node {
    /// As servers name each other: `host:port`; an IPv6 address stands in brackets.
    pub(super) fn named(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host
            .strip_prefix('[')
            .map_or(Some(host), |host| host.strip_suffix(']'))?;
        let port = port.parse().ok()?;
        (!host.is_empty()).then(|| Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl MongoDbCredential {
    /// Whose turn it is, if it is this one's; the other user is in the same database.
    pub(super) fn turn(&self, suffix: &str) -> Result<Turn<'_>, RotatorError> {
        let login = &self.user.login;
        let mut partner = Partner::of(login, &self.usernames, suffix)?;
        if let Some(longest) = self.longest_name {
            partner = partner.at_most(longest, "characters", |name| name.chars().count())?;
        }
        Turn::new(login, partner, self.admin.as_ref())
    }
}

impl TryFrom<&SecretDocument> for MongoDbCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let mut longest_name = None;
        if let Some(engine) = secret.optional_text("engine")? {
            FAMILY.check_engine(&engine)?;
            // AWS's functions call both servers `mongo`.
            let document_db = matches!(engine.expose_secret(), "documentdb" | "docdb");
            longest_name = document_db.then_some(LONGEST_NAME);
        }
        let login = (FAMILY.login)(secret)?;
        let usernames = pair::usernames(secret, &login.username, |name| Ok(plain(name)));
        Ok(Self {
            node: Node {
                host: plain(secret.text("host")?),
                port: secret.port("port")?.unwrap_or(DEFAULT_PORT),
            },
            user: User {
                database: authentication_database(secret)?,
                login,
            },
            tls: Tls::of(secret)?,
            admin: admin_of(secret)?,
            usernames,
            longest_name,
        })
    }
}

/// The database in which the user of a secret was created.
pub(super) fn authentication_database(secret: &SecretDocument) -> Result<String, DocumentError> {
    // The last is where the users of AWS's functions are.
    for key in ["authentication_database", "authSource", "dbname"] {
        let Some(name) = secret.optional_text(key)? else {
            continue;
        };
        let name = plain(name);
        // What no name of a database holds (manual, "Naming Restrictions"); users of `$external` have no
        // passwords.
        if name.is_empty() || name.contains(['/', '\\', '.', ' ', '"', '$', '\0']) {
            return Err(DocumentError::Unsuitable {
                key,
                expected: "the name of a database that keeps passwords, such as admin",
            });
        }
        return Ok(name);
    }
    Ok("admin".to_owned())
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for MongoDbCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoDbCredential")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
