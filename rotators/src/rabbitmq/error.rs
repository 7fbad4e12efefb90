//! What a broker's answers mean. Its words are never repeated: they quote what it was sent.

use std::fmt;

use reqwest::StatusCode;
use secrets_core::rotator::{RotatorError, RotatorErrorKind};

use crate::database;

/// The listener that applications log in to.
#[derive(Clone, Debug)]
pub(super) struct Broker {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Broker {
    pub(super) fn silent(&self, what: &str) -> RotatorError {
        database::silent(self, what)
    }

    /// No handshake in time: mostly a port without TLS, whose broker waits for a greeting.
    pub(super) fn no_handshake(&self) -> RotatorError {
        RotatorError::unreachable(format!(
            "{self} did not answer to TLS in time; check that `port` is a listener of `listeners.ssl`, or set \
             `\"ssl\": false` in the secret to send passwords unprotected; else check the load of the broker"
        ))
    }

    pub(super) fn broken(&self) -> RotatorError {
        RotatorError::unreachable(format!(
            "{self} closed the connection; check that the broker is up, that it has connections left \
             (`connection_max`), and that `ssl` fits the port, then try again"
        ))
    }

    pub(super) fn not_amqp(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "what answers at {self} does not speak AMQP 0-9-1; check `host`, `port` and `ssl`"
        ))
    }

    pub(super) fn without_plain(&self) -> RotatorError {
        RotatorError::refused(format!(
            "{self} takes no login with user and password; let its `auth_mechanisms` hold PLAIN"
        ))
    }

    /// A close that says nothing about the password (AMQP 0-9-1, "Reply codes").
    pub(super) fn closed(&self, code: u16) -> RotatorError {
        let fault = match code {
            // connection-forced, resource-error, internal-error
            320 | 506 | 541 => RotatorError::unreachable(format!(
                "{self} cannot serve at the moment; check that the broker is not shutting down, then try again"
            )),
            _ => RotatorError::refused(format!(
                "{self} refuses the connection for another reason than the password; report this with the \
                 broker's version"
            )),
        };
        fault.with_code(code.to_string())
    }
}

/// Words of our own for a request that got no answer: this API has no URL in the secret.
pub(super) fn unanswered(fault: &RotatorError, api: &str) -> RotatorError {
    let own = match fault.kind() {
        RotatorErrorKind::Tls => RotatorError::tls(format!(
            "the identity of {api} could not be verified; its certificate must come from a public authority, or \
             give its authority as `ca_certificate`, and the name that it holds as `tls_server_name`; a port \
             without TLS needs `\"ssl\": false`"
        )),
        RotatorErrorKind::Misconfigured => RotatorError::misconfigured(format!(
            "{api} answers with more than 64 KiB; check `host` and `management_port`; a user with rights in so \
             many virtual hosts cannot be compared"
        )),
        _ => RotatorError::unreachable(format!(
            "{api} gave no answer; check `host` and `management_port`, that the plugin rabbitmq_management is \
             enabled, and the security groups and routes of the function's VPC, then try again"
        )),
    };
    match fault.code() {
        Some(code) => own.with_code(code),
        None => own,
    }
}

/// An answer that is none of those hoped for, and not about the admin.
pub(super) fn unexpected(status: StatusCode, api: &str) -> RotatorError {
    let fault = if status == StatusCode::NOT_FOUND {
        RotatorError::unreachable(format!(
            "{api} is not there; check `host` and `management_port`, and that the plugin rabbitmq_management \
             is enabled"
        ))
    } else if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        RotatorError::unreachable(format!("{api} cannot serve at the moment; try again later"))
    } else if status == StatusCode::BAD_REQUEST {
        RotatorError::refused(format!(
            "{api} refuses a change: mostly a user or virtual host that somebody else removed at this moment; \
             no password was changed; try again"
        ))
    } else {
        RotatorError::refused(format!(
            "{api} refuses a request that it should take; report this with the broker's version"
        ))
    };
    fault.with_code(status.as_u16().to_string())
}

/// 401, to the admin. `has_entry`: its password is right, and it has another tag.
pub(super) fn admin_refused(has_entry: bool) -> RotatorError {
    RotatorError::misconfigured(if has_entry {
        "the admin of `masterarn` may not manage users; give it the tag `administrator` (rabbitmqctl \
         set_user_tags)"
    } else {
        "the management API refuses the admin's login; correct the secret that `masterarn` names, and give \
         that user the tag `administrator`"
    })
    .with_code(StatusCode::UNAUTHORIZED.as_u16().to_string())
}
