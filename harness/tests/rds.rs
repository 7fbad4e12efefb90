//! What the emulator's RDS makes is what the documentation of `harness::rds` says.
#![allow(
    clippy::expect_used,
    reason = "a test that panics is a test that fails"
)]

use harness::proxy::{Fault, HttpAction, HttpProxy};
use harness::rds::{ADMIN, MotoRds};
use harness::secrets_manager::Moto;
use serde_json::{Value, json};

async fn tags(moto: &Moto, secret: &str) -> Vec<(String, String)> {
    let described = json!({"SecretId": secret});
    let described = moto.client().ok("DescribeSecret", described).await;
    let tags = described["Tags"].as_array().expect("tags").iter();
    let text = |tag: &Value, key: &str| tag[key].as_str().expect(key).to_owned();
    tags.map(|tag| (text(tag, "Key"), text(tag, "Value")))
        .collect()
}

#[tokio::test]
async fn a_managed_secret_holds_a_name_and_a_password_and_tags_name_the_database() {
    let moto = Moto::start_with_databases(&[("orders", "127.0.0.1")]).await;
    let rds = MotoRds::at(moto.endpoint());
    let of_instance = rds.create_instance("orders", "postgres", 5433).await;
    let of_cluster = rds.create_cluster("shop", "aurora-postgresql", 5432).await;
    let us = "arn:aws:rds:us-east-1:123456789012";
    for (secret, key, arn) in [
        (
            &of_instance,
            "aws:rds:primaryDBInstanceArn",
            format!("{us}:db:orders"),
        ),
        (
            &of_cluster,
            "aws:rds:primaryDBClusterArn",
            format!("{us}:cluster:shop"),
        ),
    ] {
        let value = moto
            .client()
            .value(secret, "AWSCURRENT")
            .await
            .expect("a value");
        let value: Value = serde_json::from_str(&value).expect("JSON");
        assert_eq!(value, json!({"username": ADMIN.0, "password": ADMIN.1}));
        let owner = (
            "aws:secretsmanager:owningService".to_owned(),
            "rds".to_owned(),
        );
        assert_eq!(tags(&moto, secret).await, [(key.to_owned(), arn), owner]);
    }
    let xml = rds.call("DescribeDBInstances", &[]).await;
    assert!(xml.contains("<Address>127.0.0.1</Address>"), "{xml}");
    rds.delete_instance("orders").await;
    assert!(
        !rds.call("DescribeDBInstances", &[])
            .await
            .contains("orders")
    );
}

/// The query protocol has its action in the form, and its errors in XML.
#[tokio::test]
async fn a_proxy_speaks_the_query_protocol_too() {
    let moto = Moto::start().await;
    let proxy = HttpProxy::start(moto.endpoint()).await;
    let rds = MotoRds::at(&proxy.endpoint());
    rds.call("DescribeDBInstances", &[]).await;
    assert_eq!(proxy.operations(), ["DescribeDBInstances"]);
    let denied = HttpAction::Status {
        code: 200,
        aws_code: "AccessDenied".to_owned(),
    };
    proxy.fault_at(2, Fault::Before(denied));
    let xml = rds.call("DescribeDBClusters", &[]).await;
    assert!(xml.contains("<Code>AccessDenied</Code>"), "{xml}");
    assert_eq!(
        proxy.operations(),
        ["DescribeDBInstances", "DescribeDBClusters"]
    );
}
