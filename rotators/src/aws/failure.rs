//! Why a request to one of AWS's services did not succeed.

use std::error::Error;
use std::io;
use std::time::Duration;

#[cfg(feature = "iam")]
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
#[cfg(not(feature = "iam"))]
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use secrets_core::rotator::Context;
use tokio::time::{Instant, timeout_at};

/// What came instead of the answer. It holds the code of the service and nothing else of its words.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) at: At,
    pub(crate) code: Option<String>,
}

/// Where it went wrong.
#[derive(Debug)]
pub(crate) enum At {
    /// It did not get out.
    Building,
    /// No answer: a time-out, or a connection that was refused or broken.
    Waiting,
    /// The other side is not who it should be.
    Tls,
    /// An answer that makes no sense.
    Reading,
    /// An error of the service.
    Service {
        status: u16,
        /// The signature is right, but not for this time.
        of_clocks: bool,
    },
}

/// The answer to a request, which may take this long.
pub(crate) async fn ask<T, E>(
    call: impl Future<Output = Result<T, SdkError<E>>>,
    patience: Duration,
    cx: &Context,
) -> Result<T, Failure>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let deadline = cx.deadline().min(Instant::now() + patience);
    // In a box: what the SDK awaits is large.
    match timeout_at(deadline, Box::pin(call)).await {
        Ok(answer) => answer.map_err(|fault| Failure::of(&fault)),
        Err(_) => Err(Failure {
            at: At::Waiting,
            code: None,
        }),
    }
}

impl Failure {
    fn of<E>(fault: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let at = match fault {
            SdkError::ConstructionFailure(_) => At::Building,
            SdkError::DispatchFailure(_) if is_of_tls(fault) => At::Tls,
            SdkError::ServiceError(error) if error.raw().status().is_success() => At::Reading,
            SdkError::ServiceError(error) => At::Service {
                status: error.raw().status().as_u16(),
                of_clocks: is_of_clocks(error.err().code(), error.err().message()),
            },
            SdkError::ResponseError(_) => At::Reading,
            // A time-out, a broken connection.
            _ => At::Waiting,
        };
        // What is no plain word is none of the service's codes.
        let word =
            |code: &&str| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let code = fault.code().filter(word).map(str::to_owned);
        Self { at, code }
    }

    pub(crate) fn is(&self, codes: &[&str]) -> bool {
        self.code
            .as_deref()
            .is_some_and(|code| codes.contains(&code))
    }
}

/// A signature that is too old or too new has the code of one that is wrong, and says so in words only.
fn is_of_clocks(code: Option<&str>, message: Option<&str>) -> bool {
    match (code, message) {
        (Some("RequestExpired"), _) => true,
        (Some("SignatureDoesNotMatch"), Some(words)) => {
            words.contains("Signature expired") || words.contains("Signature not yet current")
        }
        _ => false,
    }
}

/// Connectors wrap errors in I/O errors, whose source is not what they hold but the source of that.
fn is_of_tls(fault: &(dyn Error + 'static)) -> bool {
    let held = fault
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    fault.is::<rustls::Error>()
        || held.is_some_and(|held| is_of_tls(held))
        || fault.source().is_some_and(is_of_tls)
}
