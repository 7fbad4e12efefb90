//! Users on the emulator.

use std::fmt::Write;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use super::query::element;
use crate::http;

/// The id that [`moto_that_checks_keys.py`](../../scripts/moto_that_checks_keys.py) lets pass.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 \
    Credential=OPERATOR/20260101/us-east-1/iam/aws4_request, \
    SignedHeaders=host;x-amz-date, Signature=0";

/// Does what the person does who runs the account.
#[derive(Clone, Debug)]
pub struct MotoIam {
    address: SocketAddr,
}

impl MotoIam {
    /// The IAM of an emulator, such as `http://127.0.0.1:5000`.
    ///
    /// # Panics
    /// If that is not `http://` with an IP address and a port.
    pub fn at(endpoint: &str) -> Self {
        Self {
            address: http::address_of(endpoint),
        }
    }

    /// Sends an action with these fields: `("UserName", "app")`. Gives the XML of the answer.
    ///
    /// # Panics
    /// If the status is not 200.
    pub async fn call(&self, action: &str, fields: &[(&str, &str)]) -> String {
        let mut form = format!("Version=2010-05-08&Action={action}");
        for (name, value) in fields {
            write!(form, "&{name}={}", encode(value)).expect("strings take everything");
        }
        let request = Request::post("/")
            .header("host", self.address.to_string())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", AUTHORIZATION)
            .body(Full::new(Bytes::from(form)))
            .expect("the headers are valid");
        let response = http::send(self.address, request)
            .await
            .unwrap_or_else(|error| panic!("{action}: {error}"));
        let xml = String::from_utf8_lossy(response.body()).into_owned();
        assert_eq!(response.status().as_u16(), 200, "{action}: {xml}");
        xml
    }

    /// A user with a policy that allows these actions, on everything: moto knows no other resource.
    pub async fn create_user(&self, name: &str, actions: &[&str]) {
        self.call("CreateUser", &[("UserName", name)]).await;
        if !actions.is_empty() {
            let actions = serde_json::json!(actions);
            let policy = serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
            });
            let fields = [
                ("UserName", name),
                ("PolicyName", "rights"),
                ("PolicyDocument", &policy.to_string()),
            ];
            self.call("PutUserPolicy", &fields).await;
        }
    }

    /// Id and secret of a new key.
    pub async fn create_key(&self, user: &str) -> (String, String) {
        let xml = self.call("CreateAccessKey", &[("UserName", user)]).await;
        let text = |name| element(&xml, name).expect("a whole key").to_owned();
        (text("AccessKeyId"), text("SecretAccessKey"))
    }

    /// Deletes a key.
    pub async fn delete_key(&self, user: &str, id: &str) {
        let fields = [("UserName", user), ("AccessKeyId", id)];
        self.call("DeleteAccessKey", &fields).await;
    }

    /// Makes a key `Active` or `Inactive`.
    pub async fn set_status(&self, user: &str, id: &str, status: &str) {
        let fields = [("UserName", user), ("AccessKeyId", id), ("Status", status)];
        self.call("UpdateAccessKey", &fields).await;
    }

    /// The ids of a user's keys, the oldest first.
    pub async fn keys(&self, user: &str) -> Vec<String> {
        let xml = self.call("ListAccessKeys", &[("UserName", user)]).await;
        let keys = xml.split("<member>").skip(1);
        keys.map(|key| element(key, "AccessKeyId").expect("an id").to_owned())
            .collect()
    }
}

/// All but letters and digits, as `%2F`.
fn encode(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}
