//! What the tags of RDS's secrets and the answers of its API come to, on the emulator moto; and what is said
//! where RDS does not answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use harness::proxy::HttpProxy;
use harness::rds::MotoRds;
use harness::secrets_manager::Moto;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::aws::{AwsSettings, AwsStore};
use secrets_core::store::{SecretVersion, StoreError, StoreErrorKind, Version};
use secrets_core::testing::sentinel;
use tokio::time::Instant;

use super::*;

mod faults;

const ENGINES: &[&str] = &["postgres", "aurora-postgresql"];
const ORDERS: &str = "orders.aaaaaaaaaa.us-east-1.rds.amazonaws.com";

fn role(endpoint: &str) -> AwsSettings {
    AwsSettings {
        region: "us-east-1".into(),
        access_key_id: "AKID".into(),
        secret_access_key: "sentinel/secret+key".into(),
        session_token: Some("sentinel/session+token".into()),
        endpoint: Some(endpoint.to_owned()),
    }
}

fn settings(url: &str) -> RdsSettings {
    let mut settings = RdsSettings::new(role("http://127.0.0.1:1"));
    settings.url = Some(ServiceUrl::parse(url).expect("a URL"));
    settings
}

/// The emulator, and RDS behind a proxy.
struct Stage {
    moto: Moto,
    rds: MotoRds,
    proxy: HttpProxy,
    servers: AdminServers,
    secrets: AwsStore,
}

impl Stage {
    async fn start() -> Self {
        let moto = Moto::start().await;
        let proxy = HttpProxy::start(moto.endpoint()).await;
        Self {
            rds: MotoRds::at(moto.endpoint()),
            servers: AdminServers::of_rds(settings(&proxy.endpoint())),
            secrets: AwsStore::connect(&role(moto.endpoint())),
            proxy,
            moto,
        }
    }

    async fn find(&self, admin: &str, host: &str, port: u16) -> Result<Address, RotatorError> {
        self.proxy.reset();
        find(&self.servers, &self.secrets, admin, host, port).await
    }

    /// How often RDS was asked what.
    fn asked(&self) -> Vec<String> {
        self.proxy.operations()
    }
}

fn at(host: &str, port: u16) -> Address {
    let host = host.to_owned();
    Address { host, port }
}

async fn find<R: SecretReader>(
    servers: &AdminServers,
    secrets: &R,
    admin: &str,
    host: &str,
    port: u16,
) -> Result<Address, RotatorError> {
    let wanted = Wanted {
        address: &at(host, port),
        engines: ENGINES,
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    let cx = Context::new("app".into(), "pending".into(), deadline);
    servers
        .find(secrets, &admin.into(), None, &wanted, &cx)
        .await
}

fn fails(found: Result<Address, RotatorError>, kind: Kind, code: Option<&str>, words: &str) {
    let fault = found.expect_err(words);
    let shown = format!("{fault} {fault:?}");
    assert_eq!((fault.kind(), fault.code()), (kind, code), "{shown}");
    assert!(shown.contains(words), "{shown}");
    assert_eq!(sentinel::found("sentinel", &shown), None, "{shown}");
}

#[tokio::test]
async fn an_instances_admin_is_for_the_instance_and_its_replicas() {
    let stage = Stage::start().await;
    let admin = stage.rds.create_instance("orders", "postgres", 5433).await;
    stage.rds.create_instance("other", "postgres", 5433).await;
    let own = Ok(at(ORDERS, 5433));

    assert_eq!(stage.find(&admin, ORDERS, 5433).await, own);
    assert_eq!(stage.asked(), ["DescribeDBInstances"]);

    // Nobody knows of a replica yet, so there is nothing more to ask for.
    let replica = "orders-r.aaaaaaaaaa.us-east-1.rds.amazonaws.com";
    let refused = stage.find(&admin, replica, 5434).await;
    fails(
        refused,
        Kind::Misconfigured,
        None,
        "name the admin of this server",
    );
    assert_eq!(stage.asked(), ["DescribeDBInstances"]);

    stage.rds.create_replica("orders-r", "orders", 5434).await;
    assert_eq!(stage.find(&admin, replica, 5434).await, own);
    assert_eq!(
        stage.asked(),
        ["DescribeDBInstances", "DescribeDBInstances"]
    );
    for (host, port) in [
        ("other.aaaaaaaaaa.us-east-1.rds.amazonaws.com", 5433),
        (replica, 5433),
        (ORDERS, 5432),
        ("orders-r.evil.example", 5434),
        ("orders-r", 5434),
        ("orders", 5433),
    ] {
        let refused = stage.find(&admin, host, port).await;
        fails(refused, Kind::Misconfigured, None, ":db:orders, and");
    }
}

#[tokio::test]
async fn a_clusters_admin_is_for_all_its_endpoints_and_instances() {
    let stage = Stage::start().await;
    let admin = stage
        .rds
        .create_cluster("shop", "aurora-postgresql", 5432)
        .await;
    let xml = stage.rds.call("DescribeDBClusters", &[]).await;
    let host = |name: &str| {
        let (_, rest) = xml.split_once(&format!("<{name}>")).expect(name);
        rest.split_once('<').expect(name).0.to_owned()
    };
    let (writer, readers) = (host("Endpoint"), host("ReaderEndpoint"));
    let own = Ok(at(&writer, 5432));
    for host in [&writer, &readers] {
        assert_eq!(stage.find(&admin, host, 5432).await, own);
        assert_eq!(stage.asked(), ["DescribeDBClusters"]);
    }
    let member = "shop-1.aaaaaaaaaa.us-east-1.rds.amazonaws.com";
    let refused = stage.find(&admin, member, 5432).await;
    fails(refused, Kind::Misconfigured, None, ":cluster:shop, and");

    let engine = "aurora-postgresql";
    stage
        .rds
        .create_member("shop-1", "shop", engine, 5432)
        .await;
    stage.rds.create_instance("shop-2", "postgres", 5432).await;
    assert_eq!(stage.find(&admin, member, 5432).await, own);
    assert_eq!(stage.asked(), ["DescribeDBClusters", "DescribeDBInstances"]);
    let stranger = "shop-2.aaaaaaaaaa.us-east-1.rds.amazonaws.com";
    let refused = stage.find(&admin, stranger, 5432).await;
    fails(refused, Kind::Misconfigured, None, ":cluster:shop, and");
}

#[tokio::test]
async fn an_admin_of_nothing_that_fits_is_named() {
    let stage = Stage::start().await;
    let admin = stage.rds.create_instance("orders", "mysql", 5432).await;
    let refused = stage.find(&admin, ORDERS, 5432).await;
    fails(refused, Kind::Misconfigured, None, "another `engine`");

    // With the tags of databases that are gone, or were never here.
    let wire = stage.moto.client();
    let us = "arn:aws:rds:us-east-1:123456789012";
    for (key, arn, asked, words) in [
        (
            "aws:rds:primaryDBInstanceArn",
            format!("{us}:db:gone"),
            1,
            "does not know any more",
        ),
        (
            "aws:rds:primaryDBClusterArn",
            format!("{us}:cluster:gone"),
            1,
            "does not know any more",
        ),
        (
            "aws:rds:primaryDBInstanceArn",
            "arn:aws:rds:eu-west-1:123456789012:db:orders".to_owned(),
            0,
            "in another region",
        ),
        (
            "aws:rds:primaryDBInstanceArn",
            "orders".to_owned(),
            0,
            "do not name one database",
        ),
        ("team", "orders".to_owned(), 0, "add `host` to that secret"),
    ] {
        let secret = wire
            .create_secret(&format!("admin/{words}/{key}"), "{}")
            .await;
        let tag = serde_json::json!({"SecretId": secret, "Tags": [{"Key": key, "Value": arn}]});
        wire.ok("TagResource", tag).await;
        let refused = stage.find(&secret, ORDERS, 5432).await;
        fails(refused, Kind::Misconfigured, None, words);
        assert_eq!(stage.asked().len(), asked, "{words}");
    }
}

/// Counts how often tags are read, and gives none.
#[derive(Default)]
struct Counting {
    tags: AtomicUsize,
    fault: Option<StoreErrorKind>,
}

impl SecretReader for Counting {
    async fn get(&self, id: &SecretId, _: &Version) -> Result<SecretVersion, StoreError> {
        Err(StoreError::new(
            StoreErrorKind::NotFound,
            "GetSecretValue",
            id,
        ))
    }

    async fn tags(&self, id: &SecretId) -> Result<BTreeMap<String, String>, StoreError> {
        self.tags.fetch_add(1, Ordering::Relaxed);
        match self.fault {
            Some(kind) => Err(StoreError::new(kind, "DescribeSecret", id)),
            None => Ok(BTreeMap::new()),
        }
    }
}

#[tokio::test]
async fn a_secret_with_a_host_is_used_as_it_stands() {
    let servers = AdminServers::of_rds(settings("http://127.0.0.1:1"));
    let api = Arc::clone(servers.rds.as_ref().expect("RDS"));
    let secrets = Counting::default();
    let wanted = Wanted {
        address: &at("db.example", 5432),
        engines: ENGINES,
    };
    let cx = Context::new(
        "app".into(),
        "v".into(),
        Instant::now() + Duration::from_secs(5),
    );
    let admin = SecretId::from("admin");
    let same = servers.find(&secrets, &admin, Some("DB.example"), &wanted, &cx);
    assert_eq!(same.await, Ok(at("db.example", 5432)));
    let other = servers.find(&secrets, &admin, Some("other.example"), &wanted, &cx);
    fails(other.await, Kind::Misconfigured, None, "another `host`");
    assert_eq!(secrets.tags.load(Ordering::Relaxed), 0);
    assert!(!api.was_used(), "no client is made");

    // The tags come first: nothing is made for a secret that is not RDS's.
    let none = find(&servers, &secrets, "admin", "db.example", 5432).await;
    fails(none, Kind::Misconfigured, None, "add `host`");
    assert_eq!(secrets.tags.load(Ordering::Relaxed), 1);
    assert!(!api.was_used(), "no client is made");
}

#[tokio::test]
async fn by_default_nobody_is_asked() {
    let secrets = Counting::default();
    let none = find(
        &AdminServers::default(),
        &secrets,
        "admin",
        "db.example",
        5432,
    )
    .await;
    fails(none, Kind::Misconfigured, None, "not set up to ask RDS");
    assert_eq!(secrets.tags.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn tags_that_cannot_be_read_say_who_must_act() {
    let servers = AdminServers::of_rds(settings("http://127.0.0.1:1"));
    for (fault, kind, words) in [
        (
            StoreErrorKind::Denied,
            Kind::Refused,
            "DescribeSecret of `admin`: denied; grant this action",
        ),
        (
            StoreErrorKind::NotFound,
            Kind::Misconfigured,
            "DescribeSecret of `admin`: not found",
        ),
        (
            StoreErrorKind::Throttled,
            Kind::Unreachable,
            "DescribeSecret of `admin`: throttled",
        ),
    ] {
        let secrets = Counting {
            fault: Some(fault),
            ..Counting::default()
        };
        let found = find(&servers, &secrets, "admin", "db.example", 5432).await;
        fails(found, kind, None, words);
    }
}

#[test]
fn debug_shows_no_credentials() {
    let shown = format!("{:?}", AdminServers::of_rds(settings("http://127.0.0.1:1")));
    assert!(shown.contains("us-east-1"), "{shown}");
    assert_eq!(sentinel::found("sentinel", &shown), None, "{shown}");
}
