//! An emulated AWS Secrets Manager: the server [moto], and a caller for the wire protocol.
//!
//! moto follows the service in most of what the wire shows. Where it does not, and what
//! [`SecretsManager::begin_rotation`] does about it, was read from version 5.2.5:
//!
//! - **`RotateSecret`** first refuses if AWSPENDING sits on the AWSCURRENT version; the service
//!   refuses in the opposite case. It then takes AWSPENDING from its holder, registers the empty
//!   AWSPENDING version under the token, and sets `RotationEnabled` if the rules name a number of
//!   days. A token that already has a version loses its value by that. Only then does it look the
//!   function up, and an unknown one is `ResourceNotFoundException`, with all of the above done.
//! - With a known function it calls all four steps, whatever they answer, then makes
//!   the pending version the one that `GetSecretValue` returns *without a stage*. Without a
//!   function it labels the empty version AWSCURRENT.
//! - The event's `SecretId` is the name where the service sends the ARN, and there is no
//!   `RotationToken`.
//! - `GetSecretValue` without a stage does not follow `UpdateSecretVersionStage`: name AWSCURRENT.
//! - Permissions are not checked, and errors of the kind "not found" have status 404, not 400.
//!
//! [moto]: https://docs.getmoto.org/

mod moto;
mod rotation_hook;
mod wire;

pub use moto::Moto;
pub use rotation_hook::RotationHook;
pub use wire::SecretsManager;
