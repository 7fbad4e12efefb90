//! What a token endpoint answers. Everything that can be understood is taken: a reply that is not read
//! after a token was made is a token that is lost.

use std::fmt;
use std::time::{Duration, SystemTime};

use ring::digest;
use secrecy::{ExposeSecret, SecretString};

use super::moment;
use crate::configuration::Fields;
use crate::web::Pointer;
use crate::web::json::Json;
use crate::web::percent::hex;

/// The field `reply`: where in a reply things stand.
#[derive(Clone, Debug)]
pub(crate) struct ReplyFields {
    access_token: Pointer,
    token_type: Pointer,
    expires_in: Pointer,
    expires_at: Pointer,
    refresh_token: Pointer,
    scope: Pointer,
    pub(super) error: Option<Pointer>,
}

impl Default for ReplyFields {
    fn default() -> Self {
        Self {
            access_token: Pointer::member("access_token"),
            token_type: Pointer::member("token_type"),
            expires_in: Pointer::member("expires_in"),
            expires_at: Pointer::member("expires_at"),
            refresh_token: Pointer::member("refresh_token"),
            scope: Pointer::member("scope"),
            error: None,
        }
    }
}

impl ReplyFields {
    pub(crate) fn read(fields: &mut Fields) -> Self {
        let default = Self::default();
        let mut pointer = |name, default| fields.parsed(name, Pointer::parse).unwrap_or(default);
        Self {
            access_token: pointer("access_token", default.access_token),
            token_type: pointer("token_type", default.token_type),
            expires_in: pointer("expires_in", default.expires_in),
            expires_at: pointer("expires_at", default.expires_at),
            refresh_token: pointer("refresh_token", default.refresh_token),
            scope: pointer("scope", default.scope),
            error: fields.parsed("error", Pointer::parse),
        }
    }

    /// The token of a reply; `None` where there is none that fits into a header.
    pub(crate) fn minted(&self, reply: &Json, now: SystemTime) -> Option<Minted> {
        let access_token = reply.text(&self.access_token).filter(fits_a_header)?;
        let now = now.duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let lifetime = reply
            .number(&self.expires_in)
            .filter(|seconds| *seconds >= 0.0)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let end = reply.at(&self.expires_at).and_then(moment::seconds);
        let expires_at = end.or_else(|| now.checked_add(lifetime?.as_secs()));
        Some(Minted {
            access_token,
            token_type: reply.text(&self.token_type),
            lifetime: lifetime.or_else(|| Some(Duration::from_secs(end?.saturating_sub(now)))),
            expires_at,
            refresh_token: reply.text(&self.refresh_token),
            scope: reply.text(&self.scope),
        })
    }
}

/// Visible ASCII without a space (RFC 6750, section 2.1, is narrower still).
pub(crate) fn fits_a_header(token: &SecretString) -> bool {
    let mut bytes = token.expose_secret().bytes();
    bytes.all(|byte| byte.is_ascii_graphic())
}

/// A token as it came, with what the reply says of it.
#[derive(Clone)]
pub struct Minted {
    pub(crate) access_token: SecretString,
    token_type: Option<SecretString>,
    lifetime: Option<Duration>,
    expires_at: Option<u64>,
    pub(crate) refresh_token: Option<SecretString>,
    scope: Option<SecretString>,
}

impl Minted {
    /// The access token, to the letter.
    pub fn access_token(&self) -> &SecretString {
        &self.access_token
    }

    /// Its type in the reply's letters; `Bearer` where the reply names none.
    pub fn token_type(&self) -> SecretString {
        let named = self.token_type.clone();
        named.unwrap_or_else(|| SecretString::from("Bearer"))
    }

    /// Whether it is a bearer token (RFC 6750): one that is no other by its own words.
    pub fn is_bearer(&self) -> bool {
        is_bearer(self.token_type.as_ref())
    }

    /// How long it lives from now on, if the reply says.
    pub fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    /// When it ends, in seconds since 1970, if the reply says.
    pub fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }

    /// The refresh token, if the reply has one.
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref()
    }

    /// The beginning of the access token's SHA-256: tells tokens apart in logs, without being one.
    pub fn fingerprint(&self) -> String {
        let token = self.access_token.expose_secret().as_bytes();
        hex(&digest::digest(&digest::SHA256, token).as_ref()[..6])
    }

    /// The scope that was granted, if the reply names it.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_ref().map(ExposeSecret::expose_secret)
    }
}

/// Whether a token of this type is a bearer token; one of no type is.
pub(crate) fn is_bearer(token_type: Option<&SecretString>) -> bool {
    token_type.is_none_or(|name| name.expose_secret().eq_ignore_ascii_case("bearer"))
}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minted")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
