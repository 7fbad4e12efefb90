//! The management API, as the tests' own administrator.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::Request;
use serde_json::Value;

use super::RabbitMqServer;
use super::server::ADMIN;
use crate::{http, port};

impl RabbitMqServer {
    /// Sends a request to `/api/` and these parts of the path, which are encoded here. Gives the status,
    /// and the body (`null` where there is none).
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn api(&self, method: &str, path: &[&str], body: &Value) -> (u16, Value) {
        let mut url = "/api".to_owned();
        for part in path {
            url.push('/');
            for byte in part.bytes() {
                write!(url, "%{byte:02X}").expect("strings take everything");
            }
        }
        let authorization = STANDARD.encode(format!("{}:{}", ADMIN.0, ADMIN.1));
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("authorization", format!("Basic {authorization}"))
            .body(Full::from(body))
            .expect("a request");
        let answer = http::send(port::local(self.http_port()), request).await;
        let answer = answer.expect("the broker answers");
        let body = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status().as_u16(), body)
    }

    /// What is there, as JSON.
    ///
    /// # Panics
    /// If it is not there.
    pub async fn get(&self, path: &[&str]) -> Value {
        let (status, body) = self.api("GET", path, &Value::Null).await;
        assert_eq!(status, 200, "{path:?}");
        body
    }

    /// Puts something there.
    ///
    /// # Panics
    /// If the broker refuses it.
    pub async fn put(&self, path: &[&str], body: &Value) {
        let (status, answer) = self.api("PUT", path, body).await;
        assert!(matches!(status, 201 | 204), "{path:?}: {status} {answer}");
    }

    /// Removes what is there.
    ///
    /// # Panics
    /// If it is not there.
    pub async fn delete(&self, path: &[&str]) {
        let (status, answer) = self.api("DELETE", path, &Value::Null).await;
        assert_eq!(status, 204, "{path:?}: {answer}");
    }
}
