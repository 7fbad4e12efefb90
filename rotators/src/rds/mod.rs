//! Where an admin logs in whose secret names no server.
//!
//! A secret that Amazon RDS manages itself (`ManageMasterUserPassword`) holds `username` and `password` and
//! nothing else. The system tag `aws:rds:primaryDBInstanceArn` or `aws:rds:primaryDBClusterArn` says which
//! database it belongs to, and RDS says where that is. A secret with a `host` is used as it stands: then
//! neither are tags read nor RDS asked, and no client for it is made.
//!
//! The admin logs in at the primary instance, or at the writer of the cluster. The secret that rotates may
//! name, as `host` and `port`:
//!
//! | the admin's secret belongs to | addresses that are accepted |
//! |---|---|
//! | an instance | its own, and those of its read replicas in the same region |
//! | a cluster | the writer's, the readers' and custom endpoints, and those of its instances |
//!
//! AWS's rotation functions accept the first line too, and of the second the writer's endpoint.

mod address;
#[cfg(feature = "rds")]
mod api;
#[cfg(feature = "rds")]
mod database;
#[cfg(feature = "rds")]
mod fault;
#[cfg(feature = "rds")]
mod found;
#[cfg(feature = "rds")]
mod settings;

use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;

pub use address::{Address, Wanted};
#[cfg(feature = "rds")]
pub use settings::RdsSettings;

#[cfg(feature = "rds")]
pub use crate::aws::{InvalidServiceUrl, ServiceUrl};

/// Who is asked for the server of an admin's secret that has no `host`. By default nobody, and such a
/// secret is an error.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::postgres::PostgresSettings;
/// use rotators::rds::{AdminServers, RdsSettings};
/// use secrets_core::store::aws::AwsSettings;
///
/// let role = AwsSettings {
///     region: "eu-west-1".into(),
///     access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
///     secret_access_key: "of the function's environment".into(),
///     session_token: Some("of the function's environment".into()),
///     endpoint: None,
/// };
/// let mut settings = PostgresSettings::new(PasswordPolicy::new(&PasswordRules::default())?);
/// settings.admin_servers = AdminServers::of_rds(RdsSettings::new(role));
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AdminServers {
    #[cfg(feature = "rds")]
    rds: Option<std::sync::Arc<api::Api>>,
}

#[cfg(feature = "rds")]
type BoxedAnswer<'a> =
    std::pin::Pin<Box<dyn std::future::Future<Output = Result<Address, RotatorError>> + Send + 'a>>;

impl AdminServers {
    /// Amazon RDS is asked, once a secret without a `host` comes.
    #[cfg(feature = "rds")]
    pub fn of_rds(settings: RdsSettings) -> Self {
        Self {
            rds: Some(std::sync::Arc::new(api::Api::new(settings))),
        }
    }

    /// Where the admin logs in: at the server that the secret to be rotated names, or at the one that
    /// its `host` is a replica or member of.
    ///
    /// `named` is the `host` of the admin's secret.
    ///
    /// ```
    /// use rotators::rds::{Address, AdminServers, Wanted};
    /// use secrets_core::event::SecretId;
    /// use secrets_core::rotator::{Context, RotatorError};
    /// use secrets_core::store::SecretReader;
    ///
    /// async fn admins_server(
    ///     servers: &AdminServers,
    ///     secrets: &impl SecretReader,
    ///     masterarn: &SecretId,
    ///     cx: &Context,
    /// ) -> Result<Address, RotatorError> {
    ///     let users = Address { host: "db.example".into(), port: 1521 };
    ///     let wanted = Wanted { address: &users, engines: &["oracle-ee", "oracle-se2"] };
    ///     servers.find(secrets, masterarn, None, &wanted, cx).await
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Misconfigured`](secrets_core::rotator::RotatorErrorKind::Misconfigured) where the admin is another
    /// server's, or it is not known whose; errors of `DescribeSecret` and of RDS.
    pub async fn find<R: SecretReader>(
        &self,
        secrets: &R,
        admin: &SecretId,
        named: Option<&str>,
        wanted: &Wanted<'_>,
        cx: &Context,
    ) -> Result<Address, RotatorError> {
        match named {
            Some(host) if wanted.address.has_host(host) => Ok(wanted.address.clone()),
            Some(_) => Err(RotatorError::misconfigured(
                "the admin's secret (`masterarn`) has another `host`; name the admin of this server",
            )),
            None => self.ask(secrets, admin, wanted, cx).await,
        }
    }

    #[cfg(feature = "rds")]
    async fn ask<R: SecretReader>(
        &self,
        secrets: &R,
        admin: &SecretId,
        wanted: &Wanted<'_>,
        cx: &Context,
    ) -> Result<Address, RotatorError> {
        let Some(rds) = &self.rds else {
            return Err(nobody_to_ask());
        };
        let read = tokio::time::timeout_at(cx.deadline(), secrets.tags(admin));
        let tags = read.await.map_err(|_| {
            RotatorError::unreachable(
                "the tags of the admin's secret (`masterarn`) were not read in time; check that the \
                 function's VPC has an endpoint for Secrets Manager",
            )
        })?;
        let unread = |fault| crate::second_secret::unread("the admin's secret", fault);
        let database = database::Database::in_tags(&tags.map_err(unread)?)?;
        // Without its type: the compiler would have to look through all of the SDK wherever a rotator is
        // wrapped, and gives up on it.
        let asked: BoxedAnswer<'_> = Box::pin(rds.server(&database, wanted, cx));
        asked.await
    }

    #[cfg(not(feature = "rds"))]
    #[expect(clippy::unused_async, reason = "as with the feature `rds`")]
    async fn ask<R: SecretReader>(
        &self,
        _: &R,
        _: &SecretId,
        _: &Wanted<'_>,
        _: &Context,
    ) -> Result<Address, RotatorError> {
        Err(nobody_to_ask())
    }
}

fn nobody_to_ask() -> RotatorError {
    RotatorError::misconfigured(
        "the admin's secret (`masterarn`) has no `host`, and this rotator is not set up to ask RDS for it; add \
         `host` to that secret",
    )
}

#[cfg(test)]
mod tests;
