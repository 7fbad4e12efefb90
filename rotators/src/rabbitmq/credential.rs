//! What a secret says about a broker and a user, checked once.

use std::fmt;

use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::rotator::RotatorError;

use crate::database::pair::{self, Partner};
use crate::database::turns::Turn;
pub(super) use crate::database::{AdminCredential, Login, Tls};
use crate::database::{Family, admin_of, plain, without_nul};

/// In bytes: messages name their user in a short string (AMQP 0-9-1, section 4.2.5.3; `user-id`).
const LONGEST_NAME: usize = 255;

/// What is particular to the secrets of these brokers.
pub(super) const FAMILY: Family = Family {
    engines: &["rabbitmq"],
    expected: "rabbitmq",
    login: |secret| {
        Ok(Login {
            username: plain(without_nul("username", secret.text("username")?)?),
            password: without_nul("password", secret.text("password")?)?,
        })
    },
};

/// A user of a broker, with its password and the way to reach it.
pub struct RabbitMqCredential {
    pub(super) host: String,
    /// Of AMQP 0-9-1.
    pub(super) port: u16,
    pub(super) management_port: u16,
    pub(super) login: Login,
    pub(super) tls: Tls,
    admin: Option<SecretId>,
    /// The two users that take turns, where the secret names both. What is wrong with them matters to
    /// alternating users only: to others the key belongs to somebody else.
    usernames: Result<Option<[String; 2]>, DocumentError>,
}

impl RabbitMqCredential {
    /// The secret of the admin, without whom no password is ever changed.
    pub(super) fn admin(&self) -> Result<&SecretId, RotatorError> {
        self.admin.as_ref().ok_or_else(|| {
            RotatorError::misconfigured(
                "users of RabbitMQ cannot change passwords, so an admin does it; add `masterarn`, the \
                 admin's secret, to the secret",
            )
        })
    }

    /// Whose turn it is, if it is this one's.
    pub(super) fn turn(&self, suffix: &str) -> Result<Turn<'_>, RotatorError> {
        let partner = Partner::of(&self.login, &self.usernames, suffix)?;
        let partner = partner.at_most(LONGEST_NAME, "bytes", str::len)?;
        Turn::new(&self.login, partner, Some(self.admin()?))
    }
}

impl TryFrom<&SecretDocument> for RabbitMqCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        if let Some(engine) = secret.optional_text("engine")? {
            FAMILY.check_engine(&engine)?;
        }
        let login = (FAMILY.login)(secret)?;
        let host = plain(secret.text("host")?);
        let tls = Tls::of(secret)?;
        // RabbitMQ's guides "Networking" and "Management Plugin"; Amazon MQ's "Listing brokers".
        let (amqp, management) = match &tls {
            Tls::Plaintext => (5672, 15672),
            Tls::Verified { .. } if is_amazon_mq(&host) => (5671, 443),
            Tls::Verified { .. } => (5671, 15671),
        };
        Ok(Self {
            port: secret.port("port")?.unwrap_or(amqp),
            management_port: secret.port("management_port")?.unwrap_or(management),
            usernames: pair::usernames(secret, &login.username, |name| {
                let name = without_nul("usernames", name).map_err(|_| pair::NO_PAIR)?;
                Ok(plain(name))
            }),
            admin: admin_of(secret)?,
            host,
            login,
            tls,
        })
    }
}

/// Such as `b-1234.mq.eu-west-1.amazonaws.com`.
fn is_amazon_mq(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let ours = [".amazonaws.com", ".amazonaws.com.cn", ".on.aws"];
    host.contains(".mq.") && ours.iter().any(|ending| host.ends_with(ending))
}

impl fmt::Debug for RabbitMqCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqCredential")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("management_port", &self.management_port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
