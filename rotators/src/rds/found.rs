//! What RDS says of a database, and what follows from it.

use aws_sdk_rds::types::{DbCluster, DbInstance, Endpoint};
use secrets_core::rotator::RotatorError;

use super::address::{Address, Wanted};
use super::database::Database;

/// An instance or a cluster.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    engine: String,
    /// Where changes are made: the primary instance, the writer of the cluster.
    writer: Option<Address>,
    /// Other addresses of a cluster.
    aliases: Vec<Address>,
    /// Read replicas of an instance, instances of a cluster.
    pub(super) related: Vec<String>,
}

impl From<DbInstance> for Found {
    fn from(instance: DbInstance) -> Self {
        let replicas = instance.read_replica_db_instance_identifiers;
        Self {
            engine: instance.engine.unwrap_or_default(),
            writer: instance.endpoint.and_then(address),
            aliases: Vec::new(),
            // A replica in another region has its ARN here, and an address that RDS does not tell here.
            related: replicas
                .unwrap_or_default()
                .into_iter()
                .filter(|id| !id.contains(':'))
                .collect(),
        }
    }
}

impl From<DbCluster> for Found {
    fn from(cluster: DbCluster) -> Self {
        let port = cluster.port.and_then(|port| u16::try_from(port).ok());
        let at = |host: String| {
            Some(Address {
                host: Some(host).filter(|host| !host.is_empty())?,
                port: port?,
            })
        };
        let aliases = cluster.custom_endpoints.unwrap_or_default().into_iter();
        let members = cluster.db_cluster_members.unwrap_or_default().into_iter();
        Self {
            engine: cluster.engine.unwrap_or_default(),
            writer: cluster.endpoint.and_then(at),
            aliases: aliases
                .chain(cluster.reader_endpoint)
                .filter_map(at)
                .collect(),
            related: members
                .filter_map(|member| member.db_instance_identifier)
                .collect(),
        }
    }
}

impl Found {
    /// Where the admin logs in.
    pub(super) fn writer(
        &self,
        database: &Database,
        wanted: &Wanted<'_>,
    ) -> Result<&Address, RotatorError> {
        if !wanted.engines.contains(&self.engine.as_str()) {
            return Err(RotatorError::misconfigured(format!(
                "{database}, which the admin's secret (`masterarn`) belongs to, has another `engine` than the \
                 secret; name the admin of this server"
            )));
        }
        self.writer.as_ref().ok_or_else(|| {
            RotatorError::unreachable(format!(
                "{database}, which the admin's secret (`masterarn`) belongs to, has no address at the moment; \
                 wait until it is available, then rotate again"
            ))
        })
    }

    /// Whether these are its own host and port.
    pub(super) fn is_at(&self, address: &Address) -> bool {
        let mut own = self.writer.iter().chain(&self.aliases);
        own.any(|one| one.is(address))
    }
}

/// Where an instance is; nothing while it is being made.
pub(super) fn address(endpoint: Endpoint) -> Option<Address> {
    Some(Address {
        host: endpoint.address.filter(|host| !host.is_empty())?,
        port: u16::try_from(endpoint.port?).ok()?,
    })
}

/// The secret's server has nothing to do with the admin's.
pub(super) fn elsewhere(database: &Database) -> RotatorError {
    RotatorError::misconfigured(format!(
        "the admin's secret (`masterarn`) belongs to {database}, and `host` and `port` are neither that \
         database's nor those of one of its replicas or instances in this region, as RDS writes them; correct \
         them, or name the admin of this server"
    ))
}

#[cfg(test)]
mod tests {
    use aws_sdk_rds::types::DbClusterMember;

    use super::*;

    const ENGINES: &[&str] = &["postgres", "aurora-postgresql"];

    fn at(host: &str, port: u16) -> Address {
        let host = host.to_owned();
        Address { host, port }
    }

    fn instance() -> aws_sdk_rds::types::builders::DbInstanceBuilder {
        let endpoint = Endpoint::builder().address("orders.abc.eu-west-1.rds.amazonaws.com");
        DbInstance::builder()
            .engine("postgres")
            .endpoint(endpoint.port(5433).build())
            .read_replica_db_instance_identifiers("orders-r1")
            .read_replica_db_instance_identifiers(
                "arn:aws:rds:us-east-1:123456789012:db:orders-far",
            )
            .read_replica_db_instance_identifiers("orders-r2")
    }

    fn cluster() -> aws_sdk_rds::types::builders::DbClusterBuilder {
        let member = |id| {
            DbClusterMember::builder()
                .db_instance_identifier(id)
                .build()
        };
        DbCluster::builder()
            .engine("aurora-postgresql")
            .endpoint("orders.cluster-abc.eu-west-1.rds.amazonaws.com")
            .reader_endpoint("orders.cluster-ro-abc.eu-west-1.rds.amazonaws.com")
            .custom_endpoints("reports.cluster-custom-abc.eu-west-1.rds.amazonaws.com")
            .port(5432)
            .db_cluster_members(member("orders-1"))
            .db_cluster_members(member("orders-2"))
    }

    fn database() -> Database {
        let arn = "arn:aws:rds:eu-west-1:123456789012:db:orders";
        let tags = [("aws:rds:primaryDBInstanceArn".to_owned(), arn.to_owned())];
        Database::in_tags(&tags.into()).expect("a database")
    }

    fn writer(found: &Found) -> Result<Address, RotatorError> {
        let wanted = Wanted {
            address: &at("irrelevant", 1),
            engines: ENGINES,
        };
        found.writer(&database(), &wanted).cloned()
    }

    #[test]
    fn an_instance_is_at_its_endpoint_and_its_replicas_of_this_region_are_related() {
        let found = Found::from(instance().build());
        let own = at("orders.abc.eu-west-1.rds.amazonaws.com", 5433);
        assert_eq!(writer(&found), Ok(own.clone()));
        assert!(found.is_at(&own));
        assert!(found.is_at(&at("ORDERS.abc.eu-west-1.rds.amazonaws.com", 5433)));
        for other in [
            at("orders.abc.eu-west-1.rds.amazonaws.com", 5432),
            at("orders.abc.eu-west-1.rds.amazonaws.com.evil.example", 5433),
            at("orders", 5433),
        ] {
            assert!(!found.is_at(&other), "{other:?}");
        }
        assert_eq!(found.related, ["orders-r1", "orders-r2"]);
    }

    #[test]
    fn a_cluster_is_at_all_its_endpoints_and_its_admin_at_the_writers() {
        let found = Found::from(cluster().build());
        let own = at("orders.cluster-abc.eu-west-1.rds.amazonaws.com", 5432);
        assert_eq!(writer(&found), Ok(own.clone()));
        for host in [
            "orders.cluster-abc.eu-west-1.rds.amazonaws.com",
            "orders.cluster-ro-abc.eu-west-1.rds.amazonaws.com",
            "reports.cluster-custom-abc.eu-west-1.rds.amazonaws.com",
        ] {
            assert!(found.is_at(&at(host, 5432)), "{host}");
            assert!(!found.is_at(&at(host, 5433)), "{host}");
        }
        assert!(!found.is_at(&at("other.cluster-abc.eu-west-1.rds.amazonaws.com", 5432)));
        assert_eq!(found.related, ["orders-1", "orders-2"]);
    }

    #[test]
    fn another_engine_is_refused_whatever_the_address() {
        for engine in ["mysql", "aurora-mysql", "", "postgres "] {
            let found = Found::from(instance().engine(engine).build());
            let fault = writer(&found).expect_err(engine);
            assert!(fault.to_string().contains("another `engine`"), "{fault}");
        }
    }

    #[test]
    fn a_database_that_is_being_made_has_no_address_yet() {
        let nowhere = Endpoint::builder().build();
        let no_port = Endpoint::builder().address("orders").build();
        let empty = Endpoint::builder().address("").port(5432).build();
        for endpoint in [None, Some(nowhere), Some(no_port), Some(empty)] {
            let found = Found::from(instance().set_endpoint(endpoint).build());
            let fault = writer(&found).expect_err("no address");
            assert!(
                fault.to_string().contains("no address at the moment"),
                "{fault}"
            );
            assert_eq!(
                fault.kind(),
                secrets_core::rotator::RotatorErrorKind::Unreachable
            );
        }
        for cluster in [
            cluster().set_endpoint(None),
            cluster().set_port(None),
            cluster().port(70_000),
        ] {
            let found = Found::from(cluster.build());
            let fault = writer(&found).expect_err("no address");
            assert!(
                fault.to_string().contains("no address at the moment"),
                "{fault}"
            );
        }
    }

    #[test]
    fn whose_admin_it_is_is_said() {
        let fault = elsewhere(&database()).to_string();
        assert!(
            fault.contains("arn:aws:rds:eu-west-1:123456789012:db:orders"),
            "{fault}"
        );
        assert!(fault.contains("name the admin of this server"), "{fault}");
    }
}
