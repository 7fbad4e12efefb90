//! Credential rotation for AWS Secrets Manager that never locks anyone out.
//!
//! ```text
//!  Secrets Manager ──event──▶ event ──▶ rotation::plan ──▶ rotation (four steps)
//!                                        labels only          │           │
//!                                                             ▼           ▼
//!  applications ◀── client ◀── store ◀── AWSPENDING,       Rotator ──▶ the target:
//!                                        AWSCURRENT         trait      database, API, ...
//! ```
//!
//! # Vocabulary
//! A *secret* has *versions*, each with a value. *Staging labels* sit on versions: `AWSCURRENT` is what
//! applications read, `AWSPENDING` is what a *rotation* is about to publish, `AWSPREVIOUS` is what was
//! current before. A rotation is four *steps*, each an event: createSecret, setSecret, testSecret,
//! finishSecret. A *rotator* knows one kind of *target* (a database, an API) and its *credentials*.
//!
//! # Invariants
//! 1. At every moment some labelled version logs in; where the rotator's profile has an overlap, that
//!    version is `AWSCURRENT`. One profile declares an exception: where a target makes the new credential
//!    only once the old one is gone, none does from its making to its storing.
//! 2. Any step may be repeated, any number of times, after a crash at any point, and ends in the same
//!    state. One exception is declared by a profile ([`rotator::Repeat`]): where making a credential uses
//!    up the current one, createSecret is not repeated blindly, but stops and says what a person must do;
//!    `AWSCURRENT` is left as it is.
//! 3. A probe that could not be carried out never leads to a change.
//! 4. A foreign `AWSPENDING` is never overwritten. What `AWSCURRENT` or `AWSPENDING` names is never
//!    deleted; deletion is by identity, and "already gone" is success.
//! 5. Secret bytes appear in no log line, error, Debug or panic.
//! 6. Between invocations nothing is remembered outside the store and the target.
//! 7. TLS to a target is required unless the secret itself says otherwise, and is never downgraded.
//! 8. [`rotation::plan()`] and the decision on notes have no I/O; only [`store`] knows the SDK; rotators
//!    see neither labels nor a way to write a secret.
//!
//! # Deliberately absent
//! Rollback: a rotation only goes forward, since undoing half of it is one more thing that can fail.
//! Background tasks, global state, and a cache in the engine.
//!
//! # Reading order
//! [`event`], [`document`], [`rotation`], [`rotator`], [`store`], [`client`].

pub mod client;
pub mod document;
pub mod event;
pub mod rotation;
pub mod rotator;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
