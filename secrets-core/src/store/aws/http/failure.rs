//! Why there is no answer, in the SDK's terms: they decide whether it tries again.

use std::error::Error;
use std::{fmt, io};

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::retry::ErrorKind;
use hyper_util::client::legacy;

/// There was no connection in time.
#[derive(Debug)]
pub(super) struct TookTooLong;

impl fmt::Display for TookTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there was no connection in time")
    }
}

impl Error for TookTooLong {}

pub(super) fn of_hyper(fault: legacy::Error) -> ConnectorError {
    let of_connecting = fault.is_connect();
    let (of_time, of_io) = (holds::<TookTooLong>(&fault), holds::<io::Error>(&fault));
    let of_protocol = held::<hyper::Error>(&fault);
    if of_time || of_protocol.is_some_and(hyper::Error::is_timeout) {
        return ConnectorError::timeout(fault.into());
    }
    match of_protocol {
        Some(error) if error.is_user() => ConnectorError::user(fault.into()),
        Some(error) if error.is_closed() || error.is_canceled() || of_io => {
            ConnectorError::io(fault.into())
        }
        // The server has closed the connection in the middle of its answer, or before it.
        Some(error) if error.is_incomplete_message() => {
            ConnectorError::other(fault.into(), Some(ErrorKind::TransientError))
        }
        None if of_connecting || of_io => ConnectorError::io(fault.into()),
        _ => ConnectorError::other(fault.into(), None),
    }
}

fn holds<E: Error + 'static>(fault: &(dyn Error + 'static)) -> bool {
    held::<E>(fault).is_some()
}

/// The first error of that type, from this one on along its sources.
fn held<'a, E: Error + 'static>(fault: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(fault);
    while let Some(fault) = next {
        if let Some(found) = fault.downcast_ref() {
            return Some(found);
        }
        next = fault.source();
    }
    None
}
