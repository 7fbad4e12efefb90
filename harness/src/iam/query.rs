//! The query protocol: a form goes in, XML comes out.

use hyper::StatusCode;

use crate::http::{self, Answer};

/// The value of a field of a form.
pub(super) fn field(form: &str, name: &str) -> Option<String> {
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
pub(super) fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// The result of an action.
pub(super) fn result(action: &str, content: &str) -> Answer {
    let xml = format!(
        "<{action}Response><{action}Result>{content}</{action}Result>\
         <ResponseMetadata><RequestId>request</RequestId></ResponseMetadata></{action}Response>"
    );
    http::answer(StatusCode::OK, "text/xml", xml)
}

/// An error of the service.
pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    let status = StatusCode::from_u16(status).expect("a valid HTTP status");
    let xml = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>request</RequestId></ErrorResponse>"
    );
    http::answer(status, "text/xml", xml)
}
