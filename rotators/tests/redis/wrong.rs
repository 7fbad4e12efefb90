//! Rotators that are wrong on purpose: each is convicted of its own crime.

use std::sync::Arc;
use std::time::Duration;

use harness::redis::RedisServer;
use rotators::redis::{RedisCredential, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Invariant, Prover, Trial};

use crate::kit::{Server, User, rotator};
use crate::support::{Client, sha256};

/// What is done wrong.
#[derive(Clone, Copy, PartialEq)]
enum Crime {
    /// `resetpass`: the current password ends when the new one begins.
    Replaces,
    /// The password that is superseded stays for ever.
    RetiresNothing,
    /// Removes without looking, and takes "it is gone" for a fault.
    RemovesBlindly,
    /// `resetpass` with the login's password and the new one, which are the same where it is called again.
    Resets,
    /// Takes a connection that ends for a wrong password.
    TakesDoubtForRefusal,
}

struct Wrong {
    crime: Crime,
    right: SingleUser<MemoryStore>,
    server: Arc<RedisServer>,
}

struct Credential {
    right: RedisCredential,
    username: String,
    hash: String,
}

impl TryFrom<&SecretDocument> for Credential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            right: secret.try_into()?,
            username: secret.text("username")?.expose_secret().to_owned(),
            hash: sha256(secret.text("password")?.expose_secret()),
        })
    }
}

impl Wrong {
    async fn change(&self, user: &str, rules: &[&str]) -> Result<(), RotatorError> {
        let mut admin = Client::admin(&self.server).await;
        match admin
            .call(&[&["ACL", "SETUSER", user], rules].concat())
            .await
            .as_str()
        {
            "+OK" => Ok(()),
            _ => Err(RotatorError::refused("the server refuses a command")),
        }
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
        login: Proven<'_, Credential>,
        pending: &Credential,
        _: &Context,
    ) -> Result<(), RotatorError> {
        let new = format!("#{}", pending.hash);
        let old = format!("#{}", login.credential().hash);
        match self.crime {
            Crime::Replaces => self.change(&pending.username, &["resetpass", &new]).await,
            Crime::Resets => {
                let rules = ["resetpass", &old, &new];
                self.change(&pending.username, &rules).await
            }
            _ => self.change(&pending.username, &[&new]).await,
        }
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
        match self.crime {
            Crime::RetiresNothing => Ok(()),
            Crime::RemovesBlindly => {
                let gone = format!("!{}", retired.hash);
                self.change(&retired.username, &[&gone]).await
            }
            _ => {
                let kept: Vec<_> = kept.iter().map(|kept| &kept.right).collect();
                self.right.retire(&retired.right, &kept, cx).await
            }
        }
    }
}

async fn is_convicted(crime: Crime, of: Invariant) {
    let server = Server::start(RedisServer::builder(), false).await;
    let prover = Prover::new(async |world| {
        let (user, secret): (User, _) = Arc::clone(&server).user(&world).await;
        let server = user.redis();
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
async fn whoever_resets_all_passwords_cannot_do_it_again() {
    is_convicted(Crime::Resets, Invariant::RepeatsAreHarmless).await;
}

#[tokio::test]
async fn whoever_takes_doubt_for_a_refusal_is_found_out() {
    is_convicted(Crime::TakesDoubtForRefusal, Invariant::DoubtChangesNothing).await;
}
