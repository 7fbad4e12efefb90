//! App-only bearer tokens of which the provider keeps one an API key: X (formerly Twitter).
//!
//! The token endpoint answers every request with the same token until that one is invalidated, and the
//! token has no end of its own. So there is no new token while the old one lives, and with one API key
//! `AWSCURRENT` does not work from `createSecret` to `finishSecret`. With two API keys that take turns
//! there is no gap.
//!
//! The secret:
//!
//! | key | meaning |
//! |---|---|
//! | `access_token` | what rotates; kept to the letter, percent escapes included |
//! | `token_type` | `bearer`, in any case |
//! | `masterarn` | the secret of the API key that the token comes from |
//! | `masterarns` | with two keys: the list of both secrets, one of which is `masterarn` |
//! | `superseded_sha256` | with two keys, kept by the rotator: which token the other key's next one replaces |
//!
//! The secret of an API key:
//!
//! | key | meaning |
//! |---|---|
//! | `consumer_key`, `consumer_secret` | the API key of the app and its secret |
//! | `owner_token`, `owner_token_secret` | the owner's own, for [`Invalidation::OwnerSignature`] |
//!
//! A token that works is taken as it comes: 200 or 201, with or without `token_type`, whatever
//! `expires_in` says. A reply that makes no sense is an error after which nothing is lost, since the next
//! try gets the same token.

mod credential;
mod provider;
mod rotator;
mod settings;

pub use credential::BearerCredential;
pub use rotator::BearerToken;
pub use settings::{ApiKeys, BearerSettings, Invalidation};
