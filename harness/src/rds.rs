//! Databases of Amazon RDS on the emulator moto, whose master passwords RDS manages.
//!
//! What moto 5.2.5 does, as read from its source: the secret holds the value [`ADMIN`] with the tags that
//! RDS gives it, `aws:rds:primaryDBInstanceArn` or `aws:rds:primaryDBClusterArn`, and
//! `aws:secretsmanager:owningService`. Replicas and members are told as RDS tells them. Unlike RDS it
//! makes replicas of instances with a managed password, makes no server, and checks no rights.

use std::net::SocketAddr;

use crate::http;
use crate::query::{self, element};

/// Name and password in every secret that moto's RDS manages.
pub const ADMIN: (&str, &str) = ("admin", "P@55w0rd!");

/// Does what the person does who runs the account.
#[derive(Clone, Debug)]
pub struct MotoRds {
    address: SocketAddr,
}

impl MotoRds {
    /// The RDS of an emulator, such as `http://127.0.0.1:5000`.
    ///
    /// # Panics
    /// If that is not `http://` with an IP address and a port.
    pub fn at(endpoint: &str) -> Self {
        Self {
            address: http::address_of(endpoint),
        }
    }

    /// Sends an action with these fields: `("DBInstanceIdentifier", "orders")`. Gives the XML of the answer.
    ///
    /// # Panics
    /// If the status is not 200.
    pub async fn call(&self, action: &str, fields: &[(&str, &str)]) -> String {
        query::call(self.address, "rds", "2014-10-31", action, fields).await
    }

    /// An instance: the ARN of its managed secret.
    pub async fn create_instance(&self, id: &str, engine: &str, port: u16) -> String {
        let fields = [
            ("DBInstanceIdentifier", id),
            ("Engine", engine),
            ("Port", &port.to_string()),
            ("DBInstanceClass", "db.t3.micro"),
            ("AllocatedStorage", "20"),
            ("MasterUsername", ADMIN.0),
            ("ManageMasterUserPassword", "true"),
        ];
        secret_in(&self.call("CreateDBInstance", &fields).await)
    }

    /// A read replica of an instance.
    pub async fn create_replica(&self, id: &str, source: &str, port: u16) {
        let fields = [
            ("DBInstanceIdentifier", id),
            ("SourceDBInstanceIdentifier", source),
            ("Port", &port.to_string()),
        ];
        self.call("CreateDBInstanceReadReplica", &fields).await;
    }

    /// A cluster without instances: the ARN of its managed secret.
    pub async fn create_cluster(&self, id: &str, engine: &str, port: u16) -> String {
        let fields = [
            ("DBClusterIdentifier", id),
            ("Engine", engine),
            ("Port", &port.to_string()),
            ("MasterUsername", ADMIN.0),
            ("ManageMasterUserPassword", "true"),
        ];
        secret_in(&self.call("CreateDBCluster", &fields).await)
    }

    /// An instance of a cluster.
    pub async fn create_member(&self, id: &str, cluster: &str, engine: &str, port: u16) {
        let fields = [
            ("DBInstanceIdentifier", id),
            ("DBClusterIdentifier", cluster),
            ("Engine", engine),
            ("Port", &port.to_string()),
            ("DBInstanceClass", "db.t3.medium"),
        ];
        self.call("CreateDBInstance", &fields).await;
    }

    /// Deletes an instance; moto deletes its secret, too.
    pub async fn delete_instance(&self, id: &str) {
        let fields = [("DBInstanceIdentifier", id), ("SkipFinalSnapshot", "true")];
        self.call("DeleteDBInstance", &fields).await;
    }
}

fn secret_in(xml: &str) -> String {
    let arn = element(xml, "SecretArn");
    arn.unwrap_or_else(|| panic!("no managed secret: {xml}"))
        .to_owned()
}
