//! The kit: how a rotator is proven.
//!
//! [`prove`] takes a rotator with a target, fake or real, through everything that happens to rotations:
//! each step sent twice, the target out of reach, a crash, a lost reply or a call that hangs at each single
//! call, one event delivered to two functions at once, and an old event that arrives while the next
//! rotation runs, in every order of their calls. After each effect it looks at twelve promises
//! ([`Invariant`]). A broken one comes back as a [`Violation`], with the shortest schedule that breaks it
//! and the line of code that runs it again.
//!
//! What it needs is the rotator, and the truth about the target ([`Target`]):
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use secrets_core::document::{DocumentError, Patch, SecretDocument};
//! use secrets_core::rotator::{Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict};
//! use secrets_core::testing::{Target, Trial, prove};
//! use secrecy::{ExposeSecret, SecretString};
//!
//! /// A target that knows one password.
//! #[derive(Clone)]
//! struct Lock(Arc<Mutex<String>>);
//!
//! # struct Password(SecretString);
//! # impl TryFrom<&SecretDocument> for Password {
//! #     type Error = DocumentError;
//! #     fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
//! #         secret.text("password").map(Self)
//! #     }
//! # }
//! impl Rotator for Lock {
//!     // ...
//! #     type Credential = Password;
//! #     fn profile(&self) -> Profile {
//! #         Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace)
//! #     }
//! #     async fn create(&self, _: &Password, cx: &Context) -> Result<Patch, RotatorError> {
//! #         Ok(Patch::key("password", format!("fresh {}", cx.version()).into()))
//! #     }
//! #     async fn set(&self, _: Proven<'_, Password>, pending: &Password, _: &Context) -> Result<(), RotatorError> {
//! #         *self.0.lock().unwrap() = pending.0.expose_secret().to_owned();
//! #         Ok(())
//! #     }
//! #     async fn test(&self, candidate: &Password, _: &Context) -> Result<Verdict, RotatorError> {
//! #         let right = *self.0.lock().unwrap() == candidate.0.expose_secret();
//! #         Ok(if right { Verdict::Accepted } else { Verdict::Rejected })
//! #     }
//! }
//!
//! impl Target for Lock {
//!     async fn works(&self, secret: &SecretDocument) -> bool {
//!         secret.text("password").is_ok_and(|p| p.expose_secret() == *self.0.lock().unwrap())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let proof = prove(async |_| {
//!     let target = Lock(Arc::new(Mutex::new("first".into())));
//!     let secret = SecretDocument::from_text(r#"{"password": "first"}"#);
//!     Trial::new(target.clone(), secret, move || target.clone())
//! })
//! .await;
//! let proof = proof.unwrap_or_else(|violation| panic!("{violation}"));
//! assert!(proof.interleavings > 1000);
//! # }
//! ```
//!
//! Beside it: [`Driver`] plays Secrets Manager for programs, [`store_contract`] is what every store must
//! keep, and [`sentinel`] finds secrets in texts.

mod clock;
mod driver;
mod explore;
mod gate;
mod gated;
mod leak;
mod prove;
mod rotator_contract;
mod run;
mod schedules;
pub mod sentinel;
pub mod store_contract;
mod target;
mod violation;
mod witness;

pub use driver::{Driver, Transition};
pub use gate::Fault;
pub use prove::{Proof, Prover, prove};
pub use target::{Target, Trial, World};
pub use violation::{Invariant, Schedule, Violation};
