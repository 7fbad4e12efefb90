//! Every error type, with its cause and what to do: what [`Reason`](super::Reason) is called in alarms, in
//! tools and in the documentation, written once.

use super::Advice;

/// One kind of failure, as alarms and people know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorType {
    /// The stable name; Lambda reports it as the error type.
    pub code: &'static str,
    /// Who must act.
    pub advice: Advice,
    /// What has happened.
    pub cause: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl ErrorType {
    /// A type of failure that is none of a rotation itself: such as of the function around it.
    pub const fn new(
        code: &'static str,
        advice: Advice,
        cause: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self {
            code,
            advice,
            cause,
            remedy,
        }
    }
}

/// Defines the types and the list of all together, so that none can be left out of it.
macro_rules! error_types {
    ($($name:ident = $code:literal, $advice:ident: $cause:literal, $remedy:literal;)*) => {
        $(pub(super) const $name: ErrorType =
            ErrorType::new($code, Advice::$advice, $cause, $remedy);)*

        /// All error types of a rotation, in the order in which a rotation meets them.
        ///
        /// ```
        /// use secrets_core::rotation::ERROR_TYPES;
        ///
        /// let denied = ERROR_TYPES.iter().find(|kind| kind.code == "StoreDenied").unwrap();
        /// assert_eq!(denied.advice.as_str(), "fix_permissions");
        /// ```
        pub const ERROR_TYPES: &[ErrorType] = &[$($name),*];
    };
}

error_types! {
    STORE_NOT_FOUND = "StoreNotFound", FixSecret:
        "Secrets Manager knows no such secret or version.",
        "Check the ARN and the region; a secret that `masterarn` names must exist, too.";
    STORE_DENIED = "StoreDenied", FixPermissions:
        "Secrets Manager refuses a call to the function's role.",
        "Allow the call that the message names: in the function's role, or, in another account, in the \
         secret's resource policy, too. With a VPC endpoint, check its policy.";
    STORE_KEY = "StoreKeyUnusable", FixPermissions:
        "The secret's KMS key cannot be used.",
        "Allow the role `kms:Decrypt` and `kms:GenerateDataKey` on the key (template parameters \
         `kmsKeyArn`, `superuserSecretKmsKeyArn`); check that the key is enabled.";
    STORE_THROTTLED = "StoreThrottled", Retry:
        "Secrets Manager has too many calls at a time.",
        "Nothing, unless it lasts: then spread the schedules.";
    STORE_UNAVAILABLE = "StoreUnavailable", Retry:
        "Secrets Manager could not be reached, or failed.",
        "If it lasts and the function is in a VPC: add a VPC endpoint for Secrets Manager (or a NAT \
         gateway), allow port 443 from the function's security group, and set `endpoint` if private DNS \
         is off.";
    STORE_CONFLICT = "StoreConflict", Retry:
        "Another call changed the secret at the same time.",
        "Nothing: the next try sees how things are then.";
    STORE_REFUSED = "StoreRefused", FixSecret:
        "Secrets Manager refuses the call as wrong for this secret.",
        "Read the message; the secret may be owned by another AWS service, or be a replica, which rotates \
         in its primary region only.";
    SECRET_DELETED = "SecretDeleted", FixSecret:
        "The secret is scheduled for deletion.",
        "Restore it (`RestoreSecret`), or let it go.";
    ROTATION_DISABLED = "RotationDisabled", FixSecret:
        "Rotation was cancelled or switched off while a rotation was under way.",
        "Switch it on again (`RotateSecret`) to finish, or remove `AWSPENDING` from the version.";
    NO_CURRENT = "NoCurrentVersion", FixSecret:
        "No version of the secret holds `AWSCURRENT`.",
        "Put a working value as `AWSCURRENT`.";
    FOREIGN_PENDING = "ForeignPending", FixSecret:
        "Another rotation of the secret has not come to its end.",
        "Finish it (`RotateSecret` again), or remove `AWSPENDING` from the version that the message names.";
    NOT_STAGED = "VersionNotStaged", Retry:
        "The version of the event has lost `AWSPENDING`: its rotation was abandoned, or is over.",
        "Nothing for this event; start a new rotation if there is none.";
    UNKNOWN_VERSION = "UnknownVersion", Retry:
        "The secret has no such version.",
        "Send events through `RotateSecret`, which registers the version first.";
    INVALID_SECRET = "InvalidSecret", FixSecret:
        "The value of a version is not what the rotator needs.",
        "Put a value that has the keys that the message names, as the page of the rotator shows them.";
    TOO_SOON = "TooSoon", Retry:
        "The last rotation is younger than `MIN_OVERLAP_SECONDS`: readers may still hold the value before \
         it.",
        "Wait until the time that the message names; in an emergency, lower the setting.";
    ANOTHER_INVOCATION = "AnotherInvocation", Retry:
        "Another invocation is making a value, or was stopped while it did.",
        "Nothing: a try after the time that the message names goes on.";
    UNREPEATABLE = "Unrepeatable", FixSecret:
        "Making a value was begun and not finished, and may have used up the credential of `AWSCURRENT`; a \
         second try could end the grant.",
        "Obtain a new credential at the target (authorise again) and put it as `AWSCURRENT`.";
    TARGET_UNREACHABLE = "TargetUnreachable", Retry:
        "The target could not be reached, or did not answer in time.",
        "If it lasts: check host and port in the secret, the target itself, and the way there (subnets, \
         security groups, DNS).";
    TARGET_TLS = "TargetTls", FixTarget:
        "No trusted TLS connection to the target.",
        "Give the target a certificate that is valid for its name, or its authority as `ca_certificate` \
         (in the secret) or `caCertificate` (of the template).";
    TARGET_REFUSED = "TargetRefused", FixTarget:
        "The target answered, and would not do what a rotation needs: a missing right, a locked or expired \
         account.",
        "Do what the message says at the target; the page of the rotator lists the rights.";
    TARGET_REJECTED_VALUE = "TargetRejectedValue", FixConfiguration:
        "The target's rules forbid the new value.",
        "Fit the settings for new passwords to those rules, then rotate again. `AWSCURRENT` still works.";
    MISCONFIGURED = "RotatorMisconfigured", FixConfiguration:
        "The settings and the secret do not fit together.",
        "Correct the setting or the key that the message names.";
    FORBIDDEN_CHANGE = "ForbiddenChange", Report:
        "The rotator changed a key that its profile does not name.",
        "Report it to the rotator's author; nothing was stored.";
    UNCHANGED = "ValueUnchanged", Report:
        "The rotator made the value that is current already.",
        "Report it to the rotator's author; nothing was stored.";
    NO_PENDING_VALUE = "NoPendingValue", Retry:
        "`AWSPENDING` holds no value: createSecret was not called, or failed.",
        "Start the rotation again.";
    PENDING_ALTERED = "PendingAltered", FixSecret:
        "`AWSPENDING` differs from `AWSCURRENT` in keys that a rotation must not change, such as the host. \
         Somebody wrote one of them during the rotation.",
        "Find out who. Then remove `AWSPENDING` from the version and rotate again.";
    NONE_ACCEPTED = "NoCredentialAccepted", FixSecret:
        "The target refuses what `AWSPENDING`, `AWSCURRENT` and `AWSPREVIOUS` hold: the credential was \
         changed outside of Secrets Manager.",
        "Put a working credential as `AWSCURRENT`, or set the target's to the one there; then rotate again.";
    PENDING_REFUSED = "PendingRefused", Retry:
        "The target refuses the value of `AWSPENDING`, and so it was not published.",
        "Start the rotation again, so that setSecret sets it anew.";
    OUT_OF_TIME = "OutOfTime", Retry:
        "The function's time was up. The next try goes on from there.",
        "If it happens again, raise the function's timeout, or find out why the target is slow.";
}
