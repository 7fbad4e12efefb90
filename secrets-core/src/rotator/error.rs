//! Why a target could not be asked or changed.

use std::borrow::Cow;

/// Who or what stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RotatorErrorKind {
    /// No answer: refused connection, time-out, broken connection, overload.
    Unreachable,
    /// The target's identity could not be verified, or no common TLS.
    Tls,
    /// The target answered and will not let us do this: locked account, missing right, no access rule.
    Refused,
    /// The target refused the new value by its own rules (password policy), and changed nothing.
    RejectedByTarget,
    /// The rotator's own settings, or the secret, do not fit the target.
    Misconfigured,
}

/// Why a call of a rotator did not come to an end.
///
/// It carries words of our own and a code of the target's (SQLSTATE, HTTP status, OAuth error code),
/// never the target's text, a statement or a reply: those may quote secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", .code.as_deref().map(|code| format!(" (code {code})")).unwrap_or_default())]
pub struct RotatorError {
    kind: RotatorErrorKind,
    message: Cow<'static, str>,
    code: Option<String>,
    changed_nothing: bool,
}

impl RotatorError {
    fn new(kind: RotatorErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            code: None,
            changed_nothing: false,
        }
    }

    /// The target gave no answer. The message names it and says what to check.
    pub fn unreachable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RotatorErrorKind::Unreachable, message)
    }

    /// The target's identity was not verified.
    pub fn tls(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RotatorErrorKind::Tls, message)
    }

    /// The target refused for another reason than a wrong credential.
    pub fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RotatorErrorKind::Refused, message)
    }

    /// The target will never take this new value, and nothing was changed.
    pub fn rejected_by_target(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RotatorErrorKind::RejectedByTarget, message)
    }

    /// Settings or secret do not fit the target.
    pub fn misconfigured(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RotatorErrorKind::Misconfigured, message)
    }

    /// The same with the target's own code: SQLSTATE, HTTP status, OAuth error code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same, where it is certain that the target was left as it was: no connection, a refusal before
    /// anything was done. **Not** where a request was sent and no answer came.
    ///
    /// Where a repeat is limited ([`Repeat`](super::Repeat)), the engine takes the try for not made.
    #[must_use]
    pub fn having_changed_nothing(mut self) -> Self {
        self.changed_nothing = true;
        self
    }

    /// Whether it is certain that the target was left as it was. A value that the target refuses by its
    /// own rules implies it.
    pub fn changed_nothing(&self) -> bool {
        self.changed_nothing || self.kind == RotatorErrorKind::RejectedByTarget
    }

    /// Who or what stood in the way.
    pub fn kind(&self) -> RotatorErrorKind {
        self.kind
    }

    /// The target's own code, if it gave one.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}
