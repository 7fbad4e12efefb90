//! What a secret says about a server and an account, checked once.

use std::fmt;

use secrecy::SecretString;
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError, Verdict};

use super::peer::{Dialect, Role};
use super::session::{Entry, Place, Session, Terms};
use super::sql::Sql;
use crate::database::pair::{Partner, usernames};
use crate::database::turns::Turn;
use crate::database::{Family, Login, Tls, admin_of, plain, without_nul};

/// What is particular to the secrets of one kind of server.
pub(crate) struct Secrets {
    pub(crate) family: Family,
    pub(crate) names: Names,
    /// What `port` is where a secret has none.
    pub(crate) port: u16,
    /// What `dbname` is where a secret has none.
    pub(crate) database: &'static str,
    pub(crate) dialect: &'static Dialect,
}

/// How long names of accounts may be. Servers cut longer ones off without an error, and would change another
/// account.
pub(crate) struct Names {
    pub(crate) longest_bytes: usize,
    /// The same in words.
    pub(crate) expected: &'static str,
}

impl Names {
    /// Who logs in, by a secret.
    pub(crate) fn login(&self, secret: &SecretDocument) -> Result<Login, DocumentError> {
        Ok(Login {
            username: self.check("username", secret.text("username")?)?,
            password: without_nul("password", secret.text("password")?)?,
        })
    }

    fn check(&self, key: &'static str, text: SecretString) -> Result<String, DocumentError> {
        let name = plain(without_nul(key, text)?);
        if name.len() > self.longest_bytes {
            let expected = self.expected;
            return Err(DocumentError::Unsuitable { key, expected });
        }
        Ok(name)
    }
}

/// An account of a server, with its password and the way to reach it.
pub(crate) struct Credential {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) login: Login,
    pub(crate) tls: Tls,
    pub(crate) admin: Option<SecretId>,
    /// The two users that take turns, where the secret names both. What is wrong with them matters to
    /// alternating users only: to others the key belongs to somebody else.
    usernames: Result<Option<[String; 2]>, DocumentError>,
    secrets: &'static Secrets,
}

impl Credential {
    /// From a secret of this kind.
    pub(crate) fn of(
        secret: &SecretDocument,
        secrets: &'static Secrets,
    ) -> Result<Self, DocumentError> {
        secrets.family.check_engine(&secret.text("engine")?)?;
        let login = secrets.names.login(secret)?;
        let name = |text| secrets.names.check("usernames", text);
        Ok(Self {
            host: plain(secret.text("host")?),
            port: secret.port("port")?.unwrap_or(secrets.port),
            database: match secret.optional_text("dbname")? {
                Some(name) => plain(without_nul("dbname", name)?),
                None => secrets.database.to_owned(),
            },
            usernames: usernames(secret, &login.username, name),
            login,
            tls: Tls::of(secret)?,
            admin: admin_of(secret)?,
            secrets,
        })
    }

    /// Where its sessions lead.
    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            host: &self.host,
            port: self.port,
            database: &self.database,
            tls: &self.tls,
            dialect: self.secrets.dialect,
        }
    }

    /// Presents the password once.
    pub(crate) async fn log_in(
        &self,
        terms: Terms<'_>,
        cx: &Context,
    ) -> Result<Entry, RotatorError> {
        Session::open(self.place(), &self.login, Role::Own, terms, cx).await
    }

    /// A session with a password that was accepted a moment ago.
    pub(crate) async fn enter(
        &self,
        terms: Terms<'_>,
        cx: &Context,
    ) -> Result<Box<Session>, RotatorError> {
        let entry = self.log_in(terms, cx).await?;
        entry.session_or(|| Login::taken_away(self.secrets.dialect.wrong))
    }

    /// Whether the server lets it in, and answers.
    pub(crate) async fn test(
        &self,
        terms: Terms<'_>,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let Entry::Open(session) = self.log_in(terms, cx).await? else {
            return Ok(Verdict::Rejected);
        };
        let answer = session.run(&Sql::new("SELECT 1")).await;
        let answer = answer.map_err(|fault| fault.of_statement(session.peer()));
        session.close().await;
        answer.map(|_| Verdict::Accepted)
    }

    /// Whose turn it is, if it is this one's.
    pub(crate) fn turn(&self, suffix: &str) -> Result<Turn<'_>, RotatorError> {
        Turn::new(&self.login, self.partner(suffix)?, self.admin.as_ref())
    }

    /// The user that takes turns with this one.
    pub(crate) fn partner(&self, suffix: &str) -> Result<Partner, RotatorError> {
        let longest = self.secrets.names.longest_bytes;
        Partner::of(&self.login, &self.usernames, suffix)?.at_most(longest, "bytes", str::len)
    }

    /// What may be shown, below this name.
    pub(crate) fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
