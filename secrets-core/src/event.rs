//! What Secrets Manager sends: parsed once, at the door.
//!
//! Field names, lengths and the four steps are those of the AWS page "Rotation by Lambda function".
//! Past this module nothing handles a step, an id or a token as a bare string.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// One of the four calls that make up a rotation, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// `createSecret`: make the next value and store it as `AWSPENDING`.
    Create,
    /// `setSecret`: make the target accept the pending value.
    Set,
    /// `testSecret`: show that the target accepts it.
    Test,
    /// `finishSecret`: move `AWSCURRENT` onto it.
    Finish,
}

impl Step {
    /// All four, in the order in which the service sends them.
    pub const ALL: [Self; 4] = [Self::Create, Self::Set, Self::Test, Self::Finish];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "createSecret",
            Self::Set => "setSecret",
            Self::Test => "testSecret",
            Self::Finish => "finishSecret",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names a secret: its ARN, its name, or a partial ARN (1 to 2,048 characters).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretId(String);

impl SecretId {
    /// The id as the service takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for SecretId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for SecretId {
    fn from(id: T) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one version of a secret. In a rotation it is the event's `ClientRequestToken` (32 to 64 characters).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId(String);

impl VersionId {
    /// The id as the service takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for VersionId {
    fn from(id: T) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shows the service that a write belongs to the rotation under way (36 to 256 characters).
///
/// It is sensitive: whoever holds it may write the pending version. Debug prints no byte of it.
#[derive(Clone)]
pub struct RotationToken(SecretString);

impl RotationToken {
    /// The token itself, to be handed to `PutSecretValue` and nowhere else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&str> for RotationToken {
    fn from(token: &str) -> Self {
        Self(SecretString::from(token))
    }
}

impl fmt::Debug for RotationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RotationToken([redacted])")
    }
}

/// One call of Secrets Manager to the rotation function.
#[derive(Clone, Debug)]
pub struct RotationEvent {
    /// What is to be done.
    pub step: Step,
    /// The secret that rotates; the service sends its ARN.
    pub secret: SecretId,
    /// The version that this rotation fills; the same in all four steps.
    pub version: VersionId,
    /// Sent since 2025; needed when the function rotates across accounts.
    pub rotation_token: Option<RotationToken>,
}

impl RotationEvent {
    /// Reads an event from its JSON text.
    ///
    /// Fields that this version does not know are ignored, so that the service may add some.
    ///
    /// # Errors
    /// [`EventError`] names the first field at fault. It holds no part of the input.
    ///
    /// ```
    /// use secrets_core::event::{RotationEvent, Step};
    ///
    /// let event = RotationEvent::parse(r#"{
    ///     "Step": "createSecret",
    ///     "SecretId": "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-AbCdEf",
    ///     "ClientRequestToken": "3f6b7c1e-9d0a-4d6e-8a51-0c2f4b7e9a10"
    /// }"#)?;
    /// assert_eq!(event.step, Step::Create);
    /// # Ok::<(), secrets_core::event::EventError>(())
    /// ```
    pub fn parse(json: &str) -> Result<Self, EventError> {
        let value: Value = serde_json::from_str(json).map_err(|fault| EventError::NotJson {
            line: fault.line(),
            column: fault.column(),
        })?;
        if !value.is_object() {
            return Err(EventError::NotAnObject);
        }
        let step = match required(&value, "Step", 1, 64)? {
            "createSecret" => Step::Create,
            "setSecret" => Step::Set,
            "testSecret" => Step::Test,
            "finishSecret" => Step::Finish,
            _ => return Err(EventError::UnknownStep),
        };
        Ok(Self {
            step,
            secret: required(&value, "SecretId", 1, 2048)?.into(),
            version: required(&value, "ClientRequestToken", 32, 64)?.into(),
            rotation_token: match value.get("RotationToken") {
                None | Some(Value::Null) => None,
                Some(_) => Some(required(&value, "RotationToken", 36, 256)?.into()),
            },
        })
    }
}

/// A text field whose length, in characters, lies between `min` and `max`.
fn required<'v>(
    event: &'v Value,
    field: &'static str,
    min: usize,
    max: usize,
) -> Result<&'v str, EventError> {
    let text = match event.get(field) {
        None | Some(Value::Null) => return Err(EventError::Missing { field }),
        Some(Value::String(text)) => text,
        Some(_) => return Err(EventError::NotText { field }),
    };
    let length = text.chars().count();
    if (min..=max).contains(&length) {
        Ok(text)
    } else {
        Err(EventError::Length {
            field,
            length,
            min,
            max,
        })
    }
}

/// Why an event is not one that a rotation function understands.
///
/// It is always the sender who must act: Secrets Manager sends well-formed events, so a fault here
/// means a test event written by hand, or another service wired to the function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The payload is no JSON at all.
    #[error("the event is not JSON (line {line}, column {column}); send a rotation event")]
    NotJson {
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
    },
    /// JSON, but a list, a number or a string.
    #[error("the event is not a JSON object; send a rotation event")]
    NotAnObject,
    /// A required field is absent or null.
    #[error("`{field}` is missing from the event; invoke the function through a secret's rotation")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field holds something other than a string.
    #[error("`{field}` of the event is not a string")]
    NotText {
        /// The field.
        field: &'static str,
    },
    /// A field is empty, too short or too long.
    #[error("`{field}` of the event has {length} characters; it must have {min} to {max}")]
    Length {
        /// The field.
        field: &'static str,
        /// What it has, in characters.
        length: usize,
        /// The least it may have.
        min: usize,
        /// The most it may have.
        max: usize,
    },
    /// None of the four steps.
    #[error(
        "`Step` of the event is unknown; it must be createSecret, setSecret, testSecret or finishSecret"
    )]
    UnknownStep,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "3f6b7c1e-9d0a-4d6e-8a51-0c2f4b7e9a10";

    fn event(step: &str, secret: &str, token: &str) -> String {
        serde_json::json!({"Step": step, "SecretId": secret, "ClientRequestToken": token})
            .to_string()
    }

    #[test]
    fn the_four_steps_are_read() {
        for step in Step::ALL {
            let read = RotationEvent::parse(&event(step.as_str(), "s", TOKEN)).map(|e| e.step);
            assert_eq!(read, Ok(step));
        }
    }

    #[test]
    fn each_fault_is_named() {
        let length = |field, length, min, max| EventError::Length {
            field,
            length,
            min,
            max,
        };
        let long = "s".repeat(2049);
        for (json, fault) in [
            ("{\n \"Step\": ", EventError::NotJson { line: 2, column: 9 }),
            ("[1]", EventError::NotAnObject),
            ("{}", EventError::Missing { field: "Step" }),
            (r#"{"Step": null}"#, EventError::Missing { field: "Step" }),
            (r#"{"Step": 4}"#, EventError::NotText { field: "Step" }),
            (&event("rollback", "s", TOKEN), EventError::UnknownStep),
            (&event("CreateSecret", "s", TOKEN), EventError::UnknownStep),
            (
                &event("setSecret", "", TOKEN),
                length("SecretId", 0, 1, 2048),
            ),
            (
                &event("setSecret", &long, TOKEN),
                length("SecretId", 2049, 1, 2048),
            ),
            (
                &event("setSecret", "s", &TOKEN[5..]),
                length("ClientRequestToken", 31, 32, 64),
            ),
            (
                &event("setSecret", "s", &"t".repeat(65)),
                length("ClientRequestToken", 65, 32, 64),
            ),
        ] {
            assert_eq!(RotationEvent::parse(json).err(), Some(fault), "{json}");
        }
    }

    #[test]
    fn a_rotation_token_is_kept_and_never_shown() {
        let token = "sentinel-rotation-token-0123456789abcdef";
        let json = format!(
            r#"{{"Step":"setSecret","SecretId":"s","ClientRequestToken":"{TOKEN}","RotationToken":"{token}"}}"#
        );
        let event = RotationEvent::parse(&json).expect("a good event");
        assert_eq!(
            event.rotation_token.as_ref().map(RotationToken::expose),
            Some(token)
        );
        assert_eq!(
            format!("{event:?}"),
            "RotationEvent { step: Set, secret: SecretId(\"s\"), \
             version: VersionId(\"3f6b7c1e-9d0a-4d6e-8a51-0c2f4b7e9a10\"), \
             rotation_token: Some(RotationToken([redacted])) }"
        );
        let short = json.replace(token, "sentinel");
        let fault = RotationEvent::parse(&short).expect_err("too short");
        assert!(!format!("{fault} {fault:?}").contains("sentinel"));
    }
}
