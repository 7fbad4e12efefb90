//! The query protocol: a form goes in, XML comes out.

use std::fmt::Write;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode};

use crate::http::{self, Answer};

/// Sends an action to an emulator; gives the XML of the answer. The id of the key is the one that
/// [`moto_that_checks_keys.py`](../scripts/moto_that_checks_keys.py) lets pass.
///
/// # Panics
/// If the status is not 200.
pub(crate) async fn call(
    address: SocketAddr,
    service: &str,
    version: &str,
    action: &str,
    fields: &[(&str, &str)],
) -> String {
    let mut form = format!("Version={version}&Action={action}");
    for (name, value) in fields {
        write!(form, "&{name}={}", encode(value)).expect("strings take everything");
    }
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=OPERATOR/20260101/us-east-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0"
    );
    let request = Request::post("/")
        .header("host", address.to_string())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", authorization)
        .body(Full::new(Bytes::from(form)))
        .expect("the headers are valid");
    let response = http::send(address, request)
        .await
        .unwrap_or_else(|error| panic!("{action}: {error}"));
    let xml = String::from_utf8_lossy(response.body()).into_owned();
    assert_eq!(response.status().as_u16(), 200, "{action}: {xml}");
    xml
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

/// The value of a field of a form.
pub(crate) fn field(form: &str, name: &str) -> Option<String> {
    let mut fields = form.split('&').filter_map(|field| field.split_once('='));
    let (_, value) = fields.find(|(found, _)| *found == name)?;
    Some(decode(value))
}

/// `%40` is `@`, `+` is a space.
fn decode(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).unwrap_or_default();
                bytes.push(u8::from_str_radix(digits, 16).unwrap_or(b'?'));
                rest = tail;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first text between `<name>` and `</name>`.
pub(crate) fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// The result of an action.
pub(crate) fn result(action: &str, content: &str) -> Answer {
    let xml = format!(
        "<{action}Response><{action}Result>{content}</{action}Result>\
         <ResponseMetadata><RequestId>request</RequestId></ResponseMetadata></{action}Response>"
    );
    http::answer(StatusCode::OK, "text/xml", xml)
}

/// An error of the service.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    let status = StatusCode::from_u16(status).expect("a valid HTTP status");
    let xml = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>request</RequestId></ErrorResponse>"
    );
    http::answer(status, "text/xml", xml)
}
