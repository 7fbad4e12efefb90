//! Reads through AWS's Parameters and Secrets Lambda Extension, or through the AWS Secrets Manager Agent: both
//! hold secrets in a process beside the application and give them over HTTP on loopback.
//!
//! Sources: AWS pages "Use AWS Secrets Manager secrets in AWS Lambda functions" and "AWS Secrets Manager
//! Agent". Both answer `GET /secretsmanager/get?secretId=..` on port 2773 with the JSON of `GetSecretValue`, if
//! the header `X-Aws-Parameters-Secrets-Token` holds a token that a forged request would not know.
//!
//! Both keep a value for 300 seconds by themselves, which adds to the client's `ttl`. The agent reads anew
//! when told so (`refreshNow`); the extension has no such thing, so behind it a credential that was refused
//! stays the current one until the extension's own time is over.

mod http;
mod reply;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::event::SecretId;
use crate::store::{Label, SecretReader, SecretVersion, StoreError, StoreErrorKind, Version};

const GET: &str = "GetSecretValue";
const PORT: u16 = 2773;

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Extension,
    Agent,
}

#[derive(Clone)]
enum Token {
    Value(SecretString),
    /// Read for each request: the agent makes a new one when it is started again.
    File(PathBuf),
}

/// Reads secrets from a process on this machine.
#[derive(Clone)]
pub struct ExtensionReader {
    kind: Kind,
    address: SocketAddr,
    token: Token,
}

/// No environment variable tells the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no token for the extension or the agent; set `AWS_TOKEN` to it, or to file:// and the path of \
     the file that holds it; a Lambda function has it in `AWS_SESSION_TOKEN`"
)]
pub struct MissingToken;

impl ExtensionReader {
    /// The Lambda extension, with the token and the port that the function's environment holds:
    /// `AWS_SESSION_TOKEN`, or `AWS_CONTAINER_AUTHORIZATION_TOKEN` under `SnapStart`, and
    /// `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT`.
    ///
    /// # Errors
    /// [`MissingToken`].
    pub fn extension_from_env() -> Result<Self, MissingToken> {
        Self::extension_from_lookup(|name| std::env::var(name).ok())
    }

    /// The same from another source than the environment of this process. An empty text counts as missing.
    ///
    /// # Errors
    /// [`MissingToken`].
    pub fn extension_from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, MissingToken> {
        let port = lookup("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT");
        let port = port.and_then(|port| port.parse().ok()).unwrap_or(PORT);
        let token = Token::from_lookup(&lookup, &SESSION)?;
        Ok(Self::new(Kind::Extension, port, token))
    }

    /// The agent on its usual port, with the token where the agent itself looks for it: `AWS_TOKEN`, then
    /// `AWS_SESSION_TOKEN`, then `AWS_CONTAINER_AUTHORIZATION_TOKEN`; each may name a file, as
    /// `file:///var/run/awssmatoken`.
    ///
    /// # Errors
    /// [`MissingToken`].
    pub fn agent_from_env() -> Result<Self, MissingToken> {
        Self::agent_from_lookup(|name| std::env::var(name).ok())
    }

    /// The same from another source than the environment of this process. An empty text counts as missing.
    ///
    /// # Errors
    /// [`MissingToken`].
    pub fn agent_from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, MissingToken> {
        let [session, container] = SESSION;
        let token = Token::from_lookup(lookup, &["AWS_TOKEN", session, container])?;
        Ok(Self::new(Kind::Agent, PORT, token))
    }

    /// The Lambda extension on a port of this machine.
    pub fn extension(port: u16, token: SecretString) -> Self {
        Self::new(Kind::Extension, port, Token::Value(token))
    }

    /// The agent on a port of this machine.
    pub fn agent(port: u16, token: SecretString) -> Self {
        Self::new(Kind::Agent, port, Token::Value(token))
    }

    /// The agent on a port of this machine, with the token in a file.
    pub fn agent_with_token_file(port: u16, file: impl Into<PathBuf>) -> Self {
        Self::new(Kind::Agent, port, Token::File(file.into()))
    }

    fn new(kind: Kind, port: u16, token: Token) -> Self {
        Self {
            kind,
            // Never another machine: the token and the value go in clear.
            address: (Ipv4Addr::LOCALHOST, port).into(),
            token,
        }
    }

    async fn ask(&self, id: &SecretId, query: &str) -> Result<SecretVersion, StoreError> {
        let unavailable = |code: &str| {
            StoreError::new(StoreErrorKind::Unavailable, GET, id).with_code(Some(code.to_owned()))
        };
        let token = self
            .token
            .read()
            .ok_or_else(|| unavailable("NoTokenFile"))?;
        let path = format!("/secretsmanager/get?{query}");
        let reply = http::get(self.address, &path, &token).await;
        let reply = reply.map_err(|fault| unavailable(fault.code()))?;
        reply::read(id, reply.status, &reply.body)
    }
}

const SESSION: [&str; 2] = ["AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"];

impl Token {
    fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
        names: &[&str],
    ) -> Result<Self, MissingToken> {
        let text = |name: &&str| lookup(name).filter(|text| !text.is_empty());
        let token = names.iter().find_map(text).map(Zeroizing::new);
        let token = token.ok_or(MissingToken)?;
        Ok(match token.strip_prefix("file://") {
            Some(path) => Self::File(path.into()),
            None => Self::Value(token.as_str().into()),
        })
    }

    fn read(&self) -> Option<SecretString> {
        match self {
            Self::Value(token) => Some(token.clone()),
            Self::File(path) => {
                let text = std::fs::read_to_string(path).ok().map(Zeroizing::new)?;
                Some(text.trim().into())
            }
        }
    }
}

impl SecretReader for ExtensionReader {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        self.ask(id, &query(id, version)).await
    }

    async fn get_past_caches(
        &self,
        id: &SecretId,
        version: &Version,
    ) -> Result<SecretVersion, StoreError> {
        let query = query(id, version);
        match self.kind {
            Kind::Agent => self.ask(id, &format!("{query}&refreshNow=true")).await,
            // It refuses a parameter that it does not know.
            Kind::Extension => self.ask(id, &query).await,
        }
    }
}

fn query(id: &SecretId, version: &Version) -> String {
    let secret = http::encoded(id.as_str());
    match version {
        Version::Labelled(Label::Current) => format!("secretId={secret}"),
        Version::Labelled(label) => {
            format!(
                "secretId={secret}&versionStage={}",
                http::encoded(label.as_str())
            )
        }
        Version::Id(version) => {
            format!(
                "secretId={secret}&versionId={}",
                http::encoded(version.as_str())
            )
        }
        Version::Exactly(version, label) => format!(
            "secretId={secret}&versionId={}&versionStage={}",
            http::encoded(version.as_str()),
            http::encoded(label.as_str())
        ),
    }
}

impl fmt::Debug for ExtensionReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionReader")
            .field("kind", &self.kind)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
