//! The client over the real SDK and an emulated Secrets Manager: ids, batches, deletion.
#![allow(
    clippy::expect_used,
    reason = "a test that panics is a test that fails"
)]

use harness::proxy::{Fault, HttpAction, HttpProxy};
use harness::secrets_manager::Moto;
use secrecy::ExposeSecret;
use secrets_core::client::{ClientError, SecretsClient};
use secrets_core::store::aws::{AwsSettings, AwsStore};
use serde_json::json;

async fn emulated(count: usize) -> (Moto, HttpProxy, SecretsClient, Vec<String>) {
    let moto = Moto::start().await;
    let wire = moto.client();
    let mut arns = Vec::new();
    for n in 0..count {
        let secret = json!({"Name": format!("app/{n}"), "SecretString": format!("value {n}")});
        let made = wire.ok("CreateSecret", secret).await;
        arns.push(made["ARN"].as_str().expect("an ARN").to_owned());
    }
    let proxy = HttpProxy::start(moto.endpoint()).await;
    let endpoint = proxy.endpoint();
    let settings = AwsSettings::from_lookup(|name| {
        Some(match name {
            "AWS_REGION" => "us-east-1".into(),
            "AWS_ENDPOINT_URL" => endpoint.clone(),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "AKID".into(),
            _ => return None,
        })
    });
    let store = AwsStore::connect(&settings.expect("all settings"));
    (moto, proxy, SecretsClient::new(store), arns)
}

async fn text(secrets: &SecretsClient, id: &str) -> String {
    let secret = secrets.get_secret(id).await.expect("a secret");
    secret
        .plain_text()
        .expect("text")
        .expose_secret()
        .to_owned()
}

#[tokio::test]
async fn name_and_arn_share_what_was_read() {
    let (_moto, proxy, secrets, arns) = emulated(1).await;
    for id in ["app/0", &arns[0], "app/0", &arns[0]] {
        assert_eq!(text(&secrets, id).await, "value 0");
    }
    assert_eq!(proxy.operations(), ["GetSecretValue"]);
}

#[tokio::test]
async fn many_are_read_in_one_call_by_name_and_by_arn() {
    let (_moto, proxy, secrets, arns) = emulated(25).await;
    let mut ids: Vec<String> = (0..24).map(|n| format!("app/{n}")).collect();
    ids.push(arns[24].clone());
    secrets.prefetch(&ids).await.expect("all of them");
    assert_eq!(proxy.operations(), ["BatchGetSecretValue"; 2]);
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(text(&secrets, id).await, format!("value {n}"));
    }
    assert_eq!(proxy.operations().len(), 2);
}

#[tokio::test]
async fn without_the_right_to_batches_each_is_read() {
    let (_moto, proxy, secrets, _) = emulated(3).await;
    let denied = HttpAction::Status {
        code: 400,
        aws_code: "AccessDeniedException".into(),
    };
    proxy.fault_at(1, Fault::Before(denied));
    let read = secrets.prefetch(["app/0", "app/1", "app/2"]).await;
    read.expect("all of them");
    let mut operations = proxy.operations();
    operations.sort();
    assert_eq!(operations[0], "BatchGetSecretValue");
    assert_eq!(operations[1..], ["GetSecretValue"; 3]);
}

#[tokio::test]
async fn one_that_is_missing_from_a_batch_is_named() {
    let (_moto, _proxy, secrets, _) = emulated(2).await;
    let fault = secrets.prefetch(["app/0", "app/none", "app/1"]).await;
    let fault = fault.expect_err("one is missing");
    assert!(
        matches!(&fault, ClientError::ResourceNotFound(fault) if fault.secret == "app/none".into()),
        "{fault:?}"
    );
    assert_eq!(text(&secrets, "app/1").await, "value 1");
}

#[tokio::test]
async fn a_secret_scheduled_for_deletion_is_an_invalid_request() {
    let (moto, _proxy, secrets, _) = emulated(1).await;
    moto.client()
        .ok("DeleteSecret", json!({"SecretId": "app/0"}))
        .await;
    let fault = secrets.get_secret("app/0").await.expect_err("deleted");
    assert!(matches!(fault, ClientError::InvalidRequest(_)), "{fault:?}");
}
