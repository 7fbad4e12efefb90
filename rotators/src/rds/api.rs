//! The two questions, asked of RDS.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::config::retry::RetryConfig;
use aws_sdk_rds::config::timeout::TimeoutConfig;
use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_rds::types::Filter;
use secrecy::ExposeSecret;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::aws::{Connections, http_client};

use super::address::{Address, Wanted};
use super::database::{Database, Kind};
use super::fault::{not_there, of_another_region};
use super::found::{self, Found};
use super::settings::RdsSettings;
use crate::aws::ask;

const INSTANCES: &str = "rds:DescribeDBInstances";
const CLUSTERS: &str = "rds:DescribeDBClusters";

/// Asks RDS; the client is made for the first question.
pub(super) struct Api {
    settings: RdsSettings,
    client: OnceLock<Client>,
}

impl Api {
    pub(super) fn new(settings: RdsSettings) -> Self {
        Self {
            settings,
            client: OnceLock::new(),
        }
    }

    /// Where the admin of the database logs in, if the secret's server belongs to it.
    pub(super) async fn server(
        &self,
        database: &Database,
        wanted: &Wanted<'_>,
        cx: &Context,
    ) -> Result<Address, RotatorError> {
        if database.region() != self.settings.aws.region {
            return Err(of_another_region(database));
        }
        let found = match database.kind {
            Kind::Instance => self.instance(database, cx).await?,
            Kind::Cluster => self.cluster(database, cx).await?,
        };
        let found = found.ok_or_else(|| not_there(database))?;
        let writer = found.writer(database, wanted)?;
        if found.is_at(wanted.address) || self.any_is_at(&found.related, wanted.address, cx).await?
        {
            return Ok(writer.clone());
        }
        Err(found::elsewhere(database))
    }

    async fn instance(
        &self,
        database: &Database,
        cx: &Context,
    ) -> Result<Option<Found>, RotatorError> {
        let call = self.client().describe_db_instances();
        let call = call.db_instance_identifier(database.arn()).send();
        match ask(call, self.settings.timeout, cx).await {
            Err(failure) if failure.knows_no_database() => Ok(None),
            Err(failure) => Err(failure.of_rds(INSTANCES, database.arn())),
            Ok(reply) => {
                let first = reply.db_instances.unwrap_or_default().into_iter().next();
                Ok(first.map(Found::from))
            }
        }
    }

    async fn cluster(
        &self,
        database: &Database,
        cx: &Context,
    ) -> Result<Option<Found>, RotatorError> {
        let call = self.client().describe_db_clusters();
        let call = call.db_cluster_identifier(database.arn()).send();
        match ask(call, self.settings.timeout, cx).await {
            Err(failure) if failure.knows_no_database() => Ok(None),
            Err(failure) => Err(failure.of_rds(CLUSTERS, database.arn())),
            Ok(reply) => {
                let first = reply.db_clusters.unwrap_or_default().into_iter().next();
                Ok(first.map(Found::from))
            }
        }
    }

    /// Whether one of these instances has that host and port. There are never more of them than one page
    /// of the answer holds (100): 15 replicas, 16 instances of a cluster.
    async fn any_is_at(
        &self,
        ids: &[String],
        address: &Address,
        cx: &Context,
    ) -> Result<bool, RotatorError> {
        if ids.is_empty() {
            return Ok(false);
        }
        let those = Filter::builder()
            .name("db-instance-id")
            .set_values(Some(ids.to_vec()))
            .build();
        let call = self.client().describe_db_instances().filters(those).send();
        match ask(call, self.settings.timeout, cx).await {
            Err(failure) if failure.knows_no_database() => Ok(false),
            Err(failure) => {
                Err(failure.of_rds(INSTANCES, "the replicas and instances of the database"))
            }
            Ok(reply) => {
                let instances = reply.db_instances.unwrap_or_default().into_iter();
                let mut addresses =
                    instances.filter_map(|one| one.endpoint.and_then(found::address));
                Ok(addresses.any(|one| one.is(address)))
            }
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| self.make())
    }

    fn make(&self) -> Client {
        let role = &self.settings.aws;
        let token = role.session_token.as_ref();
        let credentials = Credentials::new(
            &role.access_key_id,
            role.secret_access_key.expose_secret(),
            token.map(|token| token.expose_secret().to_owned()),
            None,
            "role",
        );
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(5))
            .build();
        // Both questions change nothing.
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(500));
        let mut config = aws_sdk_rds::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(role.region.clone()))
            .credentials_provider(credentials)
            .timeout_config(timeouts)
            .retry_config(retries)
            .http_client(http_client(Connections::Kept));
        let url = self.settings.url.as_ref();
        config.set_endpoint_url(url.map(|url| url.as_str().to_owned()));
        Client::from_conf(config.build())
    }

    #[cfg(test)]
    pub(super) fn was_used(&self) -> bool {
        self.client.get().is_some()
    }
}

/// The client's own Debug is hundreds of lines, and what it shows is not ours to promise.
impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
