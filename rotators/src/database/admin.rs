//! The admin whom `masterarn` names.

use std::fmt;

use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::{SecretReader, Version};
use tokio::time::timeout_at;

use super::{Family, Login, plain};
#[cfg(feature = "_rds_admin")]
use crate::rds::{Address, AdminServers, Wanted};
use crate::second_secret::unread;

/// A user of the same server as the secret that rotates.
pub(crate) struct AdminCredential {
    pub(crate) login: Login,
    /// As far as the admin's secret names one: those that RDS keeps hold a name and a password only.
    host: Option<String>,
    /// The whole secret, for keys that one engine alone has.
    #[cfg(feature = "mongodb")]
    pub(crate) document: SecretDocument,
}

impl AdminCredential {
    /// Reads the current version of the admin's secret.
    pub(crate) async fn read<R: SecretReader>(
        secrets: &R,
        id: &SecretId,
        family: &Family,
        cx: &Context,
    ) -> Result<Self, RotatorError> {
        let read = secrets.get(id, &Version::CURRENT);
        let secret = timeout_at(cx.deadline(), read)
            .await
            .map_err(|_| {
                RotatorError::unreachable(
                    "the admin's secret (`masterarn`) was not read in time; check that the function's VPC \
                     has an endpoint for Secrets Manager",
                )
            })?
            .map_err(|fault| unread("the admin's secret", fault))?;
        Self::of(&secret.document, family).map_err(|fault| {
            RotatorError::misconfigured(format!("the admin's secret (`masterarn`): {fault}"))
        })
    }

    /// Who logs in at this host, unless the admin's secret names another one.
    #[cfg(feature = "_admin_at_host")]
    pub(crate) fn login_at(self, host: &str) -> Result<Login, RotatorError> {
        if self.is_for(host) {
            return Ok(self.login);
        }
        Err(RotatorError::misconfigured(
            "the admin's secret (`masterarn`) has another `host`; name the admin of this server",
        ))
    }

    /// Who logs in, and where: at the server of the secret that rotates, or at the one that this is a replica
    /// or member of.
    #[cfg(feature = "_rds_admin")]
    pub(crate) async fn find<R: SecretReader>(
        (secrets, id): (&R, &SecretId),
        servers: &AdminServers,
        family: &Family,
        (host, port): (&str, u16),
        cx: &Context,
    ) -> Result<(Login, Address), RotatorError> {
        let admin = Self::read(secrets, id, family, cx).await?;
        let wanted = Wanted {
            address: &Address {
                host: host.to_owned(),
                port,
            },
            engines: family.engines,
        };
        let named = admin.host.as_deref();
        let address = servers.find(secrets, id, named, &wanted, cx).await?;
        Ok((admin.login, address))
    }

    /// What it means that the server refuses the admin's password with this code.
    #[cfg(any(feature = "_rds_admin", feature = "redshift"))]
    pub(crate) fn refused(code: impl Into<String>) -> RotatorError {
        RotatorError::misconfigured(
            "the server refuses the admin's password; correct the secret that `masterarn` names",
        )
        .with_code(code)
    }

    pub(super) fn of(secret: &SecretDocument, family: &Family) -> Result<Self, DocumentError> {
        if let Some(engine) = secret.optional_text("engine")? {
            family.check_engine(&engine)?;
        }
        Ok(Self {
            login: (family.login)(secret)?,
            host: secret.optional_text("host")?.map(plain),
            #[cfg(feature = "mongodb")]
            document: secret.clone(),
        })
    }

    #[cfg(feature = "_admin_at_host")]
    fn is_for(&self, host: &str) -> bool {
        self.host
            .as_deref()
            .is_none_or(|own| own.eq_ignore_ascii_case(host))
    }
}

impl fmt::Debug for AdminCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminCredential([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "_rds_admin")]
    use crate::database::Tls;

    const FAMILY: Family = Family {
        engines: &["lamp"],
        expected: "lamp",
        login: |secret| {
            Ok(Login {
                username: plain(secret.text("username")?),
                password: secret.text("password")?,
            })
        },
    };

    fn admin(secret: &str) -> Result<AdminCredential, DocumentError> {
        AdminCredential::of(&SecretDocument::from_text(secret), &FAMILY)
    }

    #[test]
    fn an_admin_needs_a_name_and_a_password_only() {
        let kept_by_rds = admin(r#"{"username":"root","password":"sentinel"}"#);
        let kept_by_rds = kept_by_rds.expect("what RDS keeps");
        assert_eq!(kept_by_rds.host, None);
        assert_eq!(kept_by_rds.login.username, "root");
        let complete = r#"{"engine":"lamp","host":"db","username":"root","password":"sentinel"}"#;
        let all = admin(complete).expect("all keys");
        assert_eq!(all.host.as_deref(), Some("db"));
        assert!(admin(&complete.replace("lamp", "candle")).is_err());
        assert!(admin(r#"{"username":"root"}"#).is_err());
        let shown = format!("{all:?} {:?}", all.login);
        assert_eq!(shown, "AdminCredential([redacted]) Login([redacted])");
    }

    #[cfg(feature = "_rds_admin")]
    #[test]
    fn the_name_in_the_certificate_is_that_of_the_host_that_is_called() {
        let secret = SecretDocument::from_text(r#"{"tls_server_name":"alias"}"#);
        let own = Tls::of(&secret).expect("TLS");
        for (host, name) in [("REPLICA", Some("alias")), ("primary", None)] {
            let (host, port) = (host.to_owned(), 5433);
            let Tls::Verified { server_name, .. } = own.at(&Address { host, port }, "replica")
            else {
                panic!("TLS stays");
            };
            assert_eq!(server_name.as_deref(), name);
        }
        let address = Address {
            host: "primary".to_owned(),
            port: 5433,
        };
        assert!(matches!(
            Tls::Plaintext.at(&address, "replica"),
            Tls::Plaintext
        ));
    }

    #[cfg(feature = "_admin_at_host")]
    #[test]
    fn an_admin_of_another_host_logs_in_nowhere() {
        let of = |host: &str| {
            let secret = format!(r#"{{"username":"root","password":"sentinel"{host}}}"#);
            admin(&secret).expect("an admin").login_at("db")
        };
        assert!(of("").is_ok() && of(r#","host":"DB""#).is_ok());
        let fault = of(r#","host":"other""#).expect_err("another host");
        assert!(fault.to_string().contains("another `host`"), "{fault}");
    }
}
