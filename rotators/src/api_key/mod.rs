//! API keys and client secrets of any provider with an HTTP interface, by configuration.
//!
//! A provider's manners are told in one JSON object: which requests make, set, try and delete a
//! credential, where in a reply its value stands, and what the secret's own keys are called. Three ways:
//!
//! | field | way | gap for readers of `AWSCURRENT` |
//! |---|---|---|
//! | `create` | the provider mints credentials with ids, of which it holds two or more | none |
//! | `set` | we choose the value of the one that there is | from `setSecret` to `finishSecret`; none with `keeps_previous` |
//! | `rotate` | the provider mints a new one in the old one's place | from `createSecret` to `finishSecret` |
//!
//! The secret:
//!
//! | key | meaning |
//! |---|---|
//! | `api_key` | what rotates |
//! | `key_id` | with `create`: what the provider calls it; a credential is deleted by this and by nothing else |
//! | `previous_key_id` | with `create`, kept by the rotator: the one before |
//! | `masterarn` | the secret that `{admin.KEY}` is filled from, where a request needs one |
//! | any other | may be used as `{current.KEY}` and stays as it is |
//!
//! With `"credential": "client_secret"` the first three are `client_secret`, `secret_id` and
//! `previous_secret_id`.
//!
//! Every field stands in `docs/api-key.md`.
//!
//! # What is kept
//! - A credential is deleted by its id, which the secret holds; never by age, and never "the other one".
//! - What a try left behind that was cut off is found by its name, which holds the version that the
//!   rotation fills, or by the time at which the first try began.
//! - A reply is never quoted. An id is, where it is short and plain.

mod body;
mod chosen;
mod credential;
mod in_place;
mod list;
mod minted;
mod places;
mod request;
mod rotator;
mod settings;
mod slots;
mod test;

pub use credential::ApiKeyCredential;
pub use rotator::ApiKey;
pub use settings::ApiKeySettings;
