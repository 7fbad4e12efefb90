//! The wire protocol of Secrets Manager, without the SDK.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use crate::{http, random};

/// No function has this ARN: see the module's documentation.
const UNKNOWN_FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:not-there";

/// The scope of the credential is what the emulator reads; it checks no signature.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 \
    Credential=AKID/20260101/us-east-1/secretsmanager/aws4_request, \
    SignedHeaders=host;x-amz-date, Signature=0";

/// Calls the emulator, or a proxy in front of it.
#[derive(Clone, Debug)]
pub struct SecretsManager {
    address: SocketAddr,
}

impl SecretsManager {
    /// A caller for an endpoint such as `http://127.0.0.1:5000`.
    ///
    /// # Panics
    /// If that is not `http://` with an IP address and a port.
    pub fn at(endpoint: &str) -> Self {
        Self {
            address: http::address_of(endpoint),
        }
    }

    /// Calls an operation, such as `CreateSecret`: the HTTP status and the answer's JSON.
    ///
    /// # Panics
    /// If there is no answer, or it is not JSON.
    pub async fn call(&self, operation: &str, body: Value) -> (u16, Value) {
        let request = Request::post("/")
            .header("host", self.address.to_string())
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("secretsmanager.{operation}"))
            .header("authorization", AUTHORIZATION)
            .body(Full::new(Bytes::from(body.to_string())))
            .expect("the headers are valid");
        let response = http::send(self.address, request)
            .await
            .unwrap_or_else(|error| panic!("{operation}: {error}"));
        let answer = serde_json::from_slice(response.body())
            .unwrap_or_else(|error| panic!("{operation}: {error}: {:?}", response.body()));
        (response.status().as_u16(), answer)
    }

    /// Calls an operation that must succeed: the answer's JSON.
    ///
    /// # Panics
    /// If the status is not 200.
    pub async fn ok(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.call(operation, body).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// Creates a secret with a string value: its ARN.
    pub async fn create_secret(&self, name: &str, value: &str) -> String {
        let body = json!({
            "Name": name, "SecretString": value, "ClientRequestToken": random::uuid(),
        });
        let answer = self.ok("CreateSecret", body).await;
        answer["ARN"].as_str().expect("an ARN").to_owned()
    }

    /// Does what the service does before it calls a rotation function's first step: switches
    /// rotation on, takes AWSPENDING off the AWSCURRENT version if it sits there, and registers an
    /// **empty** version labelled AWSPENDING under `token`. No function is called.
    ///
    /// It uses that the emulator does all this before it finds that there is no such function; it
    /// is not for a server started with a rotation hook.
    ///
    /// # Panics
    /// If there is a version under that token already (the emulator would empty it), or the secret
    /// is not in that state afterwards.
    pub async fn begin_rotation(&self, secret_id: &str, token: &str) {
        let before = self.stages(secret_id).await;
        assert!(
            before[token].is_null(),
            "{token} already has a version: {before}"
        );
        for (version, labels) in before.as_object().into_iter().flatten() {
            if has(labels, "AWSCURRENT") && has(labels, "AWSPENDING") {
                let body = json!({
                    "SecretId": secret_id,
                    "VersionStage": "AWSPENDING",
                    "RemoveFromVersionId": version,
                });
                self.ok("UpdateSecretVersionStage", body).await;
            }
        }

        let body = json!({
            "SecretId": secret_id,
            "ClientRequestToken": token,
            "RotationLambdaARN": UNKNOWN_FUNCTION,
            "RotationRules": {"AutomaticallyAfterDays": 30},
        });
        let (status, answer) = self.call("RotateSecret", body).await;
        assert_eq!(status, 404, "the emulator found a function: {answer}");

        let describe = json!({"SecretId": secret_id});
        let after = self.ok("DescribeSecret", describe).await;
        assert_eq!(after["RotationEnabled"], true, "{after}");
        let pending = &after["VersionIdsToStages"][token];
        assert_eq!(*pending, json!(["AWSPENDING"]), "{answer} {after}");
    }

    /// The staging labels of each version: `{"version id": ["AWSCURRENT"]}`.
    pub async fn stages(&self, secret_id: &str) -> Value {
        let describe = json!({"SecretId": secret_id});
        let mut answer = self.ok("DescribeSecret", describe).await;
        answer["VersionIdsToStages"].take()
    }

    /// The string value under that label; nothing if there is none, or it is empty.
    pub async fn value(&self, secret_id: &str, label: &str) -> Option<String> {
        let body = json!({"SecretId": secret_id, "VersionStage": label});
        let (status, answer) = self.call("GetSecretValue", body).await;
        if answer["__type"] == "ResourceNotFoundException" {
            return None;
        }
        assert_eq!(status, 200, "GetSecretValue: {answer}");
        answer["SecretString"].as_str().map(str::to_owned)
    }
}

fn has(labels: &Value, label: &str) -> bool {
    labels
        .as_array()
        .is_some_and(|it| it.contains(&json!(label)))
}
