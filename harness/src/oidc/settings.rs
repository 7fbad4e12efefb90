//! What a provider is started with.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::tls::TlsFiles;

/// How a provider behaves, and which clients it knows from the start.
///
/// By default tokens live for an hour and refresh tokens for two weeks, a refresh token is good for
/// one exchange, clocks may differ by 15 seconds as `oidc-provider` has it, and an update of a client
/// changes neither its secret nor its registration access token.
///
/// ```
/// # use harness::oidc::Settings;
/// # use serde_json::json;
/// let settings = Settings::new().client(json!({
///     "client_id": "reports",
///     "client_secret": "of-a-test-client",
///     "token_endpoint_auth_method": "client_secret_post",
///     "grant_types": ["refresh_token"],
/// }));
/// assert!(!format!("{settings:?}").contains("of-a-test-client"));
/// ```
#[derive(Clone)]
pub struct Settings {
    pub(super) values: Value,
}

impl Settings {
    /// No clients, and the behaviour described above.
    pub fn new() -> Self {
        let values = json!({
            "clients": [],
            "access_token_ttl": 3600,
            "refresh_token_ttl": 14 * 24 * 3600,
            "clock_tolerance": 15,
            "rotate_refresh_tokens": true,
            "rotate_registration_access_tokens": false,
            "new_secret_on_update": false,
            "tls": null,
        });
        Self { values }
    }

    /// A client, in the metadata of RFC 7591, section 2, with `client_id` and, if it has one,
    /// `client_secret`. What is left out: `client_secret_basic`, the grant `client_credentials`, no
    /// redirect URI.
    #[must_use]
    pub fn client(mut self, metadata: Value) -> Self {
        let clients = self.values["clients"].as_array_mut();
        clients.expect("made as an array").push(metadata);
        self
    }

    /// How long access tokens live; whole seconds.
    #[must_use]
    pub fn access_token_ttl(self, ttl: Duration) -> Self {
        self.with("access_token_ttl", ttl.as_secs())
    }

    /// How long refresh tokens, and the grants they hang on, live; whole seconds.
    #[must_use]
    pub fn refresh_token_ttl(self, ttl: Duration) -> Self {
        self.with("refresh_token_ttl", ttl.as_secs())
    }

    /// How far the clock of a client may be off; whole seconds.
    #[must_use]
    pub fn clock_tolerance(self, tolerance: Duration) -> Self {
        self.with("clock_tolerance", tolerance.as_secs())
    }

    /// A refresh token stays good after an exchange, and none is issued in its place.
    #[must_use]
    pub fn keep_refresh_tokens(self) -> Self {
        self.with("rotate_refresh_tokens", false)
    }

    /// Each update of a client replaces its registration access token (RFC 7592, section 2.2).
    #[must_use]
    pub fn rotate_registration_access_tokens(self) -> Self {
        self.with("rotate_registration_access_tokens", true)
    }

    /// Each update of a client replaces its secret, as RFC 7592, section 2.2, lets a server do. This is
    /// a registration policy, `oidc-provider`'s own place for it; without one it keeps the secret.
    #[must_use]
    pub fn new_secret_on_update(self) -> Self {
        self.with("new_secret_on_update", true)
    }

    /// Serves over TLS and asks clients for certificates: those of `client_ca` (PEM) are accepted for
    /// `tls_client_auth`, any for `self_signed_tls_client_auth`. The certificate has to be good for
    /// 127.0.0.1.
    #[must_use]
    pub fn tls(self, files: &TlsFiles, client_ca: &str) -> Self {
        let tls = json!({
            "certificate": files.certificate_pem,
            "key": files.key_pem,
            "client_ca": client_ca,
        });
        self.with("tls", tls)
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.values["tls"].is_null() {
            "http"
        } else {
            "https"
        }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.values[name] = value.into();
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clients = self.values["clients"].as_array().into_iter().flatten();
        let ids: Vec<&Value> = clients.map(|client| &client["client_id"]).collect();
        formatter
            .debug_struct("Settings")
            .field("clients", &ids)
            .finish_non_exhaustive()
    }
}
