//! What stands in braces in a request: `{current.api_key}`, `{admin.token}`, `{version}`.

use std::fmt;

use secrecy::SecretString;
use secrets_core::rotator::RotatorError;

use super::credential::ApiKeyCredential;

/// Where the value of a place comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The value to log in with.
    Current,
    /// The value that is to be set.
    Pending,
    /// What is to be deleted: its id, and nothing else.
    Retired,
    /// The value that is tried.
    Candidate,
    /// The secret that `masterarn` names.
    Admin,
    /// A token that is minted for the request.
    ManagementToken,
    /// The version that the rotation fills.
    Version,
}

impl Source {
    fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Pending => "pending",
            Self::Retired => "retired",
            Self::Candidate => "candidate",
            Self::Admin => "admin",
            Self::ManagementToken => "management_token",
            Self::Version => "version",
        }
    }

    /// Source and key of a place, if its name is one.
    fn of(name: &str) -> Option<(Self, &str)> {
        for whole in [Self::Version, Self::ManagementToken] {
            if name == whole.word() {
                return Some((whole, ""));
            }
        }
        let (word, key) = name.split_once('.')?;
        let sources = [
            Self::Current,
            Self::Pending,
            Self::Retired,
            Self::Candidate,
            Self::Admin,
        ];
        let source = sources.into_iter().find(|source| source.word() == word)?;
        (!key.is_empty()).then_some((source, key))
    }
}

/// What the places of one request may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// In the order in which they are named.
    pub(super) sources: &'static [Source],
    /// The key of an id: the only one of what is deleted.
    pub(super) id: &'static str,
    /// Keys of the current value that are of no use any more when the request is sent.
    pub(super) gone: &'static [&'static str],
}

impl Scope {
    pub(super) fn allows(&self, name: &str) -> bool {
        let Some((source, key)) = Source::of(name) else {
            return false;
        };
        // Whoever is an administrator here may as well be one with a token of its own.
        let source = match source {
            Source::ManagementToken => Source::Admin,
            source => source,
        };
        self.sources.contains(&source)
            && (source != Source::Retired || key == self.id)
            && (source != Source::Current || !self.gone.contains(&key))
    }
}

/// What is allowed, as a fault says it.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, source) in self.sources.iter().enumerate() {
            let last = n + 1 == self.sources.len();
            f.write_str(match n {
                0 => "",
                _ if last => " and ",
                _ => ", ",
            })?;
            match source {
                Source::Version | Source::ManagementToken => write!(f, "{{{}}}", source.word())?,
                Source::Admin => f.write_str("{admin.KEY}, {management_token}")?,
                Source::Retired => write!(f, "{{retired.{}}}", self.id)?,
                source => write!(f, "{{{}.KEY}}", source.word())?,
            }
        }
        match self.gone {
            [] => Ok(()),
            gone => write!(f, ", where KEY is not {}", gone.join(" or ")),
        }
    }
}

/// Whether a place is filled from the administrator's secret.
pub(super) fn is_of_admin(name: &str) -> bool {
    Source::of(name).is_some_and(|(source, _)| source == Source::Admin)
}

/// Whether a place is filled with a token that is minted for it.
pub(super) fn is_management_token(name: &str) -> bool {
    name == Source::ManagementToken.word()
}

/// What the places of a request are filled from.
#[derive(Clone, Copy, Default)]
pub(super) struct Values<'a> {
    pub(super) current: Option<&'a ApiKeyCredential>,
    pub(super) pending: Option<&'a ApiKeyCredential>,
    pub(super) candidate: Option<&'a ApiKeyCredential>,
    pub(super) admin: Option<&'a ApiKeyCredential>,
    pub(super) retired: Option<&'a SecretString>,
    pub(super) management: Option<&'a SecretString>,
    pub(super) version: &'a str,
}

impl Values<'_> {
    /// The secret that rotates, whichever version of it is at hand.
    pub(super) fn secret(&self) -> Option<&ApiKeyCredential> {
        self.current.or(self.candidate)
    }

    pub(super) fn get(&self, name: &str) -> Option<SecretString> {
        let (source, key) = Source::of(name)?;
        match source {
            Source::Current => self.current?.text(key),
            Source::Pending => self.pending?.text(key),
            Source::Candidate => self.candidate?.text(key),
            Source::Admin => self.admin?.text(key),
            Source::Retired => self.retired.cloned(),
            Source::ManagementToken => self.management.cloned(),
            Source::Version => Some(self.version.into()),
        }
    }
}

/// Nothing is known for a place.
pub(super) fn unfilled(name: &str) -> RotatorError {
    RotatorError::misconfigured(match Source::of(name) {
        Some((Source::Admin, key)) => format!(
            "`{key}` is missing in the secret that `masterarn` names; add it there, or correct the configuration"
        ),
        Some((Source::ManagementToken, _)) => {
            "{management_token} is used, and `management_token` is missing; add it to the configuration"
                .to_owned()
        }
        Some((_, key)) => {
            format!("`{key}` is missing; add it to the secret, or correct the configuration")
        }
        None => "a place of the configuration is unknown; correct it".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELETE: Scope = Scope {
        sources: &[Source::Retired, Source::Current, Source::Admin],
        id: "key_id",
        gone: &["api_key"],
    };

    #[test]
    fn a_request_takes_the_places_of_its_scope_alone() {
        for name in ["retired.key_id", "current.key_id", "admin.x.y"] {
            assert!(DELETE.allows(name), "{name}");
        }
        for name in [
            "retired.api_key",
            "retired",
            "current.api_key",
            "candidate.api_key",
            "version",
            "key_id",
            "admin",
            "admin.",
            ".key_id",
        ] {
            assert!(!DELETE.allows(name), "{name}");
        }
        assert_eq!(
            DELETE.to_string(),
            "{retired.key_id}, {current.KEY} and {admin.KEY}, {management_token}, where KEY is not api_key"
        );
    }
}
