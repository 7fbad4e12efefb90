//! Tokens of which a provider makes as many as it is asked for: client credentials (RFC 6749, section 4.4)
//! and signed assertions (RFC 7523).
//!
//! A new token harms no other one, so there is no gap: it is made, stored, tested and published while the
//! current one works. What becomes of old tokens is a setting. The keys of the secret:
//! [`TokenSecret`]; the fields of the configuration: `docs/oauth.md`.
//!
//! A rotation that is cut off between the making and the storing of a token leaves one that nobody knows.
//! It expires; its fingerprint is in the log.

mod rotator;
mod settings;

pub use super::token_secret::TokenSecret;
pub use rotator::Tokens;
pub use settings::TokenSettings;
