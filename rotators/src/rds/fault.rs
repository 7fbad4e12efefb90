//! Why RDS did not tell, and who must act.

use secrets_core::rotator::RotatorError;

use super::database::Database;
use crate::aws::{At, Failure};

impl Failure {
    /// Whether RDS has no such instance or cluster (API reference, "Errors" of both actions).
    pub(super) fn knows_no_database(&self) -> bool {
        self.is(&[
            "DBInstanceNotFound",
            "DBInstanceNotFoundFault",
            "DBClusterNotFoundFault",
        ])
    }

    /// The error of a request for `action` (`rds:DescribeDBInstances`) on `what`.
    pub(super) fn of_rds(self, action: &str, what: &str) -> RotatorError {
        let error = match self.at {
            At::Building => RotatorError::misconfigured(format!(
                "no request for {action} could be made; correct the region and the address of RDS"
            )),
            At::Waiting => RotatorError::unreachable(format!(
                "RDS gave no answer to {action}, which tells the server of the admin's secret \
                 (`masterarn`); in a VPC, check that it has an endpoint for RDS and that security groups let \
                 the function reach it, then try again"
            )),
            At::Tls => RotatorError::tls(
                "the identity of RDS could not be verified; correct its address, or the proxy in between",
            ),
            At::Reading => RotatorError::unreachable(format!(
                "the answer to {action} is none of RDS's; correct its address, or try again"
            )),
            At::Service {
                of_clocks: true, ..
            } => RotatorError::refused(format!(
                "the clock of the rotator is not that of AWS, so {action} was refused; set the clock, then \
                 rotate again"
            )),
            At::Service { status, .. } => self.refused_by_rds(action, what, status),
        };
        match self.code {
            Some(code) => error.with_code(code),
            None => error,
        }
    }

    fn refused_by_rds(&self, action: &str, what: &str, status: u16) -> RotatorError {
        match self.code.as_deref() {
            Some("AccessDenied" | "AccessDeniedException" | "NotAuthorized") => {
                RotatorError::refused(format!(
                    "the function's role may not do {action} on {what}, which tells the server of the admin's \
                     secret (`masterarn`); allow it, or end what denies it (service control policy, \
                     permissions boundary, policy of a VPC endpoint)"
                ))
            }
            Some("ExpiredToken" | "ExpiredTokenException") => RotatorError::refused(
                "the temporary credentials of the function's role have expired; rotate again",
            ),
            Some(
                "InvalidClientTokenId"
                | "UnrecognizedClientException"
                | "SignatureDoesNotMatch"
                | "MissingAuthenticationToken",
            ) => RotatorError::refused(
                "AWS refuses the credentials of the function's role; correct them, then rotate again",
            ),
            Some("Throttling" | "ThrottlingException" | "RequestLimitExceeded") => busy(action),
            _ if status == 429 || status >= 500 => busy(action),
            _ => RotatorError::refused(format!(
                "{action} on {what} was refused with status {status}; see what the code means"
            )),
        }
    }
}

fn busy(action: &str) -> RotatorError {
    RotatorError::unreachable(format!(
        "RDS does not answer {action} at the moment; try again"
    ))
}

/// The tag is there, and the database is not.
pub(super) fn not_there(database: &Database) -> RotatorError {
    RotatorError::misconfigured(format!(
        "the admin's secret (`masterarn`) belongs to {database}, which RDS does not know any more; name the \
         admin of this server"
    ))
}

/// RDS tells of the databases of its own region.
pub(super) fn of_another_region(database: &Database) -> RotatorError {
    RotatorError::misconfigured(format!(
        "the admin's secret (`masterarn`) belongs to {database}, which is in another region than this function; \
         rotate with a function in the region of the database"
    ))
}
