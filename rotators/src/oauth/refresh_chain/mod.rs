//! Chains of refresh tokens, of which each is good for one exchange (RFC 6749, section 6; RFC 9700, section
//! 4.14.2).
//!
//! The call that brings the next refresh token uses up the current one. If its reply is lost, or the process
//! dies before the reply is stored, the next token is lost, too; and who presents the used one again is taken
//! for a thief by many providers, which then end the whole grant. So the engine notes that an exchange has
//! begun, and what happens on the next try is a setting, `replay`:
//!
//! | `replay` | the provider | on the next try |
//! |---|---|---|
//! | `"forbidden"` (the default) | ends the grant | a person must authorise again |
//! | `{"grace_seconds": 30}` | forgives for so long | exchanges again within that time, then as above |
//! | `"same_value"` | answers the same again, or keeps the refresh token | exchanges again |
//!
//! A new value is never discarded here, even if its access token does not work: the refresh token in it is
//! the only one. Nothing is revoked: revoking any token of a grant may end the grant (RFC 7009, section 2.1).
//!
//! The keys of the secret: [`TokenSecret`]; the fields of the configuration: `docs/oauth.md`.

mod rotator;
mod settings;

pub use super::token_secret::TokenSecret;
pub use rotator::RefreshChain;
pub use settings::RefreshSettings;
