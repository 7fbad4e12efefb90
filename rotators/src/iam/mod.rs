//! Access keys of AWS IAM users.
//!
//! A user has at most two access keys, each with an id. The rotator makes the next one beside the current
//! one, and makes room for it by deleting the one before. So readers of `AWSCURRENT` have no gap, and by
//! default what `AWSPREVIOUS` names works until the next rotation.
//!
//! The secret:
//!
//! | key | meaning |
//! |---|---|
//! | `access_key_id`, `secret_access_key` | what rotates |
//! | `user_name` | optional: whose key it must be, without the path. With it, a key that was deleted by hand is replaced |
//! | `previous_access_key_id` | kept by the rotator: the key that the next rotation deletes |
//! | `masterarn` | optional: the secret of another user's key, which manages this one's |
//!
//! The secret that `masterarn` names holds `access_key_id` and `secret_access_key`.
//!
//! A key that is neither the current one nor the one before is somebody else's: it is never deleted, and where
//! it takes the place of the next key the rotation ends with an error that names it. The exception is a key
//! that an earlier try of a rotation has made and could not store: made since that try began, and never used.

mod api;
mod credential;
mod fault;
mod plan;
mod rotator;
mod settings;

pub use credential::IamCredential;
pub use rotator::IamKey;
pub use settings::{IamSettings, ManagedBy, Retire};

pub use crate::aws::{InvalidServiceUrl, ServiceUrl};
