//! Users on the emulator.

use std::net::SocketAddr;

use crate::http;
use crate::query::{self, element};

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
        query::call(self.address, "iam", "2010-05-08", action, fields).await
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
