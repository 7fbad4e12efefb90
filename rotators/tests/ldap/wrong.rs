//! Rotators that are wrong on purpose: each is convicted of its own crime.

use std::sync::Arc;
use std::time::Duration;

use harness::ldap::LdapServer;
use rotators::ldap::{LdapCredential, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Invariant, Prover, Trial};

use crate::kit::{By, Server, User, rotator};
use crate::support::{Client, with_admin};

/// What is done wrong.
#[derive(Clone, Copy, PartialEq)]
enum Crime {
    /// `replace: userPassword`: the current password ends when the new one begins.
    Replaces,
    /// The password that is superseded stays for ever.
    RetiresNothing,
    /// Removes without looking, and takes "it is gone" for a fault.
    RemovesBlindly,
    /// Takes a connection that ends for a wrong password.
    TakesDoubtForRefusal,
}

struct Wrong {
    crime: Crime,
    right: SingleUser<MemoryStore>,
    server: Arc<LdapServer>,
}

struct Credential {
    right: LdapCredential,
    entry: String,
    password: String,
}

impl TryFrom<&SecretDocument> for Credential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            right: secret.try_into()?,
            entry: secret.text("username")?.expose_secret().to_owned(),
            password: secret.text("password")?.expose_secret().to_owned(),
        })
    }
}

impl Rotator for Wrong {
    type Credential = Credential;

    fn profile(&self) -> Profile {
        self.right.profile()
    }

    async fn create(&self, current: &Credential, cx: &Context) -> Result<Patch, RotatorError> {
        self.right.create(&current.right, cx).await
    }

    async fn set(
        &self,
        _: Proven<'_, Credential>,
        pending: &Credential,
        _: &Context,
    ) -> Result<(), RotatorError> {
        let Credential {
            entry, password, ..
        } = pending;
        let mut root = Client::root(&self.server).await;
        if self.crime == Crime::Replaces {
            root.replace(entry, "userPassword", &[password, "of somebody else"])
                .await;
            return Ok(());
        }
        if !root.passwords(entry).await.contains(password) {
            root.add_value(entry, "userPassword", password).await;
        }
        Ok(())
    }

    async fn test(&self, candidate: &Credential, cx: &Context) -> Result<Verdict, RotatorError> {
        match self.right.test(&candidate.right, cx).await {
            Err(_) if self.crime == Crime::TakesDoubtForRefusal => Ok(Verdict::Rejected),
            verdict => verdict,
        }
    }

    async fn retire(
        &self,
        retired: &Credential,
        kept: &[&Credential],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        if self.crime == Crime::RetiresNothing {
            return Ok(());
        }
        if self.crime == Crime::RemovesBlindly {
            let Credential {
                entry, password, ..
            } = retired;
            let mut root = Client::root(&self.server).await;
            if !root.passwords(entry).await.contains(password) {
                return Err(RotatorError::refused("the server refuses a request"));
            }
            root.remove_value(entry, "userPassword", password).await;
            return Ok(());
        }
        let kept: Vec<_> = kept.iter().map(|kept| &kept.right).collect();
        self.right.retire(&retired.right, &kept, cx).await
    }
}

async fn is_convicted(crime: Crime, of: Invariant) {
    let server = Server::start(with_admin(), By::Admin, false).await;
    let prover = Prover::new(async |world| {
        let (user, secret): (User, _) = Arc::clone(&server).user(&world).await;
        let server = user.ldap();
        Trial::new(user, secret, move || Wrong {
            crime,
            right: rotator(world.store()),
            server: Arc::clone(&server),
        })
    })
    .step_timeout(Duration::from_secs(20))
    .faults(&[Fault::CrashBefore, Fault::CrashAfter])
    .without_interleavings();
    let violation = prover.run().await.expect_err("a crime");
    assert_eq!(violation.invariant, of, "{violation}");
}

#[tokio::test]
async fn whoever_replaces_the_password_has_a_gap() {
    is_convicted(Crime::Replaces, Invariant::ProfileIsTrue).await;
}

#[tokio::test]
async fn whoever_retires_nothing_lets_passwords_pile_up() {
    is_convicted(Crime::RetiresNothing, Invariant::NothingPilesUp).await;
}

#[tokio::test]
async fn whoever_removes_without_looking_stumbles_over_what_is_gone() {
    is_convicted(Crime::RemovesBlindly, Invariant::CrashesHeal).await;
}

#[tokio::test]
async fn whoever_takes_doubt_for_a_refusal_is_found_out() {
    is_convicted(Crime::TakesDoubtForRefusal, Invariant::DoubtChangesNothing).await;
}
