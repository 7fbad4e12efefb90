//! Secrets of clients that were registered dynamically (RFC 7591), rotated at their own record (RFC 7592).
//!
//! The client reads its record and sends it back without the secret; the server may issue another secret
//! then (RFC 7592, section 2.2). Many servers do not: they say so with the same secret, and the rotation
//! stops before it changed anything. Where one does, the old secret is dead at once, so `AWSCURRENT` does not
//! work from `createSecret` to `finishSecret`.
//!
//! The secret, with the names of the registration's own reply:
//!
//! | key | meaning |
//! |---|---|
//! | `client_id` | stays |
//! | `client_secret` | what rotates |
//! | `registration_client_uri` | the client's record; its host has to be one of `allowed_hosts` |
//! | `registration_access_token` | opens the record; replaced whenever a reply has another |
//!
//! The configuration:
//!
//! | field | default | meaning |
//! |---|---|---|
//! | `allowed_hosts` | required | hosts that requests may go to |
//! | `test` | required | `mint`: a token endpoint that gives a token for the secret |
//! | `registration_access_token` | `fixed` | `rotates` where updates replace it, too |
//! | `timeout_seconds` | 10 | for one request with its whole answer |
//!
//! With `fixed`, a reply that was lost is found again: the record is read first, and a secret there that is
//! not the current one was made by an earlier try. With `rotates`, what opened the record is lost with the
//! reply. So no second try is made ([`Repeat::Never`](secrets_core::rotator::Repeat::Never)): a person has to
//! register the client anew, or have the server's operator issue another registration access token.

mod record;
mod rotator;
mod settings;

pub use record::RegisteredClient;
pub use rotator::Registration;
pub use settings::RegistrationSettings;
