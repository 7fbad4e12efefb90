//! The management API, as the admin: one request, one reply, each once.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr};

use reqwest::{Client, Method, StatusCode, Url};
use secrecy::ExposeSecret;
use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;
use serde_json::{Value, json};
use tokio::net::lookup_host;
use tokio::time::timeout_at;

use super::credential::{AdminCredential, FAMILY, Login, RabbitMqCredential, Tls};
use super::error::{Broker, admin_refused, unanswered, unexpected};
use super::rights::{Account, Permission, Rights, TopicPermission};
use super::settings::RabbitMqSettings;
use crate::web::http::{self, Authorities, Peer, Reply};
use crate::web::{Endpoint, percent};
use crate::{database, tcp};

/// The API of one broker, with the login of its admin.
pub(super) struct Management<'a> {
    client: Client,
    base: Endpoint,
    admin: Login,
    settings: &'a RabbitMqSettings,
    cx: &'a Context,
}

impl<'a> Management<'a> {
    /// Reads the admin's secret. Nothing is asked of the broker yet.
    pub(super) async fn open<R: SecretReader>(
        secrets: &R,
        settings: &'a RabbitMqSettings,
        id: &SecretId,
        user: &RabbitMqCredential,
        cx: &'a Context,
    ) -> Result<Self, RotatorError> {
        let admin = AdminCredential::read(secrets, id, &FAMILY, cx).await?;
        let admin = admin.login_at(&user.host)?;
        // RFC 7617, section 2: the name ends there.
        if admin.username.contains(':') {
            return Err(RotatorError::misconfigured(
                "the name of the admin of `masterarn` has a colon, with which nobody can log in to the \
                 management API; let it name another user",
            ));
        }
        let (client, base) = connect(settings, user, cx).await?;
        Ok(Self {
            client,
            base,
            admin,
            settings,
            cx,
        })
    }

    /// The name of the admin.
    pub(super) fn admin(&self) -> &str {
        &self.admin.username
    }

    /// The API as errors name it.
    pub(super) fn name(&self) -> String {
        self.peer().to_string()
    }

    /// What the broker knows of a user by itself; None: there is no such user.
    pub(super) async fn account(&self, name: &str) -> Result<Option<Account>, RotatorError> {
        let Some(user) = self.look(&["users", name]).await? else {
            return Ok(None);
        };
        let account = Account::of(&user);
        account.map(Some).ok_or_else(|| self.unreadable())
    }

    /// What a user may do.
    pub(super) async fn rights(
        &self,
        name: &str,
        account: &Account,
    ) -> Result<Rights, RotatorError> {
        let limits = match &account.limits {
            Some(limits) => limits.clone(),
            // Brokers before 3.8.10 know no limits of users, and nothing of this part of the path.
            None => match self.look(&["user-limits", name]).await? {
                Some(found) => Rights::limits_of(found.pointer("/0/value")),
                None => BTreeMap::new(),
            },
        };
        let permissions = self.list(&["users", name, "permissions"]).await?;
        let topics = self.list(&["users", name, "topic-permissions"]).await?;
        let rights = Rights::of(account.tags(), limits, &permissions, &topics);
        rights.ok_or_else(|| self.unreadable())
    }

    /// Makes a user that cannot log in with any password, and may do nothing.
    pub(super) async fn create(&self, name: &str) -> Result<(), RotatorError> {
        let body = json!({"tags": "", "password_hash": ""});
        self.put(&["users", name], &body).await
    }

    /// Sets a password by its hash, and tags with it: the API has both in one request.
    pub(super) async fn set_password(
        &self,
        name: &str,
        hash: &str,
        tags: &Value,
    ) -> Result<(), RotatorError> {
        let hashing = super::password::HASHING;
        let body = json!({"tags": tags, "password_hash": hash, "hashing_algorithm": hashing});
        self.put(&["users", name], &body).await
    }

    pub(super) async fn permit(
        &self,
        name: &str,
        vhost: &str,
        permission: Option<&Permission>,
    ) -> Result<(), RotatorError> {
        let path = ["permissions", vhost, name];
        match permission {
            Some(permission) => self.put(&path, &permission.body()).await,
            None => self.delete(&path).await,
        }
    }

    pub(super) async fn permit_topics(
        &self,
        name: &str,
        (vhost, exchange): (&str, &str),
        permission: &TopicPermission,
    ) -> Result<(), RotatorError> {
        let path = ["topic-permissions", vhost, name];
        self.put(&path, &permission.body(exchange)).await
    }

    /// For all exchanges of the virtual host: the API has no other way.
    pub(super) async fn clear_topics(&self, name: &str, vhost: &str) -> Result<(), RotatorError> {
        self.delete(&["topic-permissions", vhost, name]).await
    }

    pub(super) async fn limit(
        &self,
        name: &str,
        limit: &str,
        value: Option<i64>,
    ) -> Result<(), RotatorError> {
        let path = ["user-limits", name, limit];
        match value {
            Some(value) => self.put(&path, &json!({ "value": value })).await,
            None => self.delete(&path).await,
        }
    }

    /// What is there; None where the API says that it is not.
    async fn look(&self, path: &[&str]) -> Result<Option<Value>, RotatorError> {
        let reply = self.send(Method::GET, path, None).await?;
        let body = reply.json().map(|json| json.value().clone());
        match (reply.status, body) {
            (StatusCode::OK, Some(body)) => Ok(Some(body)),
            // Of anything else that answers with 404 the body is another one, or none.
            (StatusCode::NOT_FOUND, Some(Value::Object(body))) if body.contains_key("error") => {
                Ok(None)
            }
            (StatusCode::OK, None) => Err(self.unreadable()),
            (status, _) => Err(unexpected(status, &self.name())),
        }
    }

    /// A list that belongs to a user, who was there a moment ago.
    async fn list(&self, path: &[&str]) -> Result<Vec<Value>, RotatorError> {
        match self.look(path).await? {
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(self.unreadable()),
            None => Err(unexpected(StatusCode::NOT_FOUND, &self.name())),
        }
    }

    async fn put(&self, path: &[&str], body: &Value) -> Result<(), RotatorError> {
        let reply = self.send(Method::PUT, path, Some(body)).await?;
        match reply.status {
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
            status => Err(unexpected(status, &self.name())),
        }
    }

    /// What is gone already is gone.
    async fn delete(&self, path: &[&str]) -> Result<(), RotatorError> {
        let reply = self.send(Method::DELETE, path, None).await?;
        match reply.status {
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(()),
            status => Err(unexpected(status, &self.name())),
        }
    }

    /// A reply that is about something else than the admin.
    async fn send(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<Reply, RotatorError> {
        let reply = self.request(method, path, body).await?;
        if reply.status != StatusCode::UNAUTHORIZED {
            return Ok(reply);
        }
        // Both a wrong password and a missing tag are 401; whoever has a lesser tag may ask for it.
        let who = self.request(Method::GET, &["whoami"], None).await?;
        Err(admin_refused(who.status == StatusCode::OK))
    }

    async fn request(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<Reply, RotatorError> {
        let url = self.url(path)?;
        let mut request = self.client.request(method, url).basic_auth(
            &self.admin.username,
            Some(self.admin.password.expose_secret()),
        );
        if let Some(body) = body {
            let json = "application/json";
            request = request.header("content-type", json).body(body.to_string());
        }
        let timeout = self.settings.timeouts.statement;
        let sent = http::send(request, self.peer(), timeout, self.cx).await;
        sent.map_err(|fault| unanswered(&fault, &self.name()))
    }

    /// Every sign of a name is escaped but for letters, digits and `-._~`, so that it stays one part of the
    /// path; dots cannot be (WHATWG URL, "double-dot path segment").
    fn url(&self, path: &[&str]) -> Result<Url, RotatorError> {
        if path.iter().any(|part| ["", ".", ".."].contains(part)) {
            return Err(RotatorError::misconfigured(
                "a user or virtual host whose name is empty, `.` or `..` cannot be named to the management API; \
                 rename it",
            ));
        }
        let mut url = self.base.url().clone();
        let path: Vec<_> = path
            .iter()
            .map(|part| percent::encode(part.as_bytes()))
            .collect();
        let path: Vec<_> = path.iter().map(|part| part.as_str()).collect();
        url.set_path(&format!("/api/{}", path.join("/")));
        Ok(url)
    }

    fn peer(&self) -> Peer<'_> {
        Peer {
            role: "the management API",
            endpoint: &self.base,
        }
    }

    fn unreadable(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "{} does not answer as RabbitMQ does; check `host` and `management_port`",
            self.name()
        ))
    }
}

/// What sends requests, and where they go. A name of its own for the certificate is the host of the URL, and
/// is found at the addresses of `host`.
async fn connect(
    settings: &RabbitMqSettings,
    user: &RabbitMqCredential,
    cx: &Context,
) -> Result<(Client, Endpoint), RotatorError> {
    let (host, port) = (user.host.as_str(), user.management_port);
    let (scheme, name, own) = match &user.tls {
        Tls::Plaintext => ("http", None, None),
        Tls::Verified { server_name, ca } => ("https", server_name.as_deref(), ca.as_ref()),
    };
    let authorities = own.or(settings.ca_certificate.as_ref());
    let authorities = authorities.map(Authorities::of);
    let base = endpoint(scheme, name.unwrap_or(host), port)?;
    let client = match name {
        Some(name) if !name.eq_ignore_ascii_case(host) => {
            let addresses = addresses(host, port, cx).await?;
            http::client_reaching(authorities.as_ref(), (name, &addresses))?
        }
        _ => http::client_with(authorities.as_ref(), None)?,
    };
    Ok((client, base))
}

fn endpoint(scheme: &str, host: &str, port: u16) -> Result<Endpoint, RotatorError> {
    let host = match host.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host.to_ascii_lowercase(),
    };
    let endpoint = Endpoint::parse_as_told(&format!("{scheme}://{host}:{port}"));
    endpoint
        .ok()
        // Whatever else is in it would lead elsewhere.
        .filter(|endpoint| endpoint.host() == host)
        .ok_or_else(|| {
            RotatorError::misconfigured(
                "`host`, or `tls_server_name` where there is one, is no host name; correct it",
            )
        })
}

async fn addresses(host: &str, port: u16, cx: &Context) -> Result<Vec<SocketAddr>, RotatorError> {
    let broker = Broker {
        host: host.to_owned(),
        port,
    };
    match timeout_at(cx.deadline(), lookup_host((host, port))).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(_)) => Err(tcp::unresolved(&broker)),
        Err(_) => Err(database::silent(&broker, "was not found")),
    }
}

impl std::fmt::Debug for Management<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Management({})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_host() {
        for (host, shown) in [
            ("mq.example", "mq.example:1"),
            ("MQ.Example", "mq.example:1"),
            ("127.0.0.1", "127.0.0.1:1"),
            ("::1", "[::1]:1"),
            ("my_mq.internal", "my_mq.internal:1"),
        ] {
            let found = endpoint("https", host, 1).expect(host);
            assert_eq!(found.authority(), shown);
        }
        for bad in [
            "", "a/b", "user@mq", "a b", "mq:5", "mq?x", "mq#x", "[::1", "mq\\x",
        ] {
            assert!(endpoint("https", bad, 1).is_err(), "{bad}");
        }
    }
}
