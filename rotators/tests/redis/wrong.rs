//! Rotators that are wrong on purpose: each is convicted of its own crime.

use std::sync::Arc;

use harness::redis::RedisServer;
use rotators::redis::SingleUser;
use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Rotator, RotatorError, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Invariant, Trial, World};

use crate::culprit::{Culprit, Login, Wrong};
use crate::kit::{Server, User, rotator};
use crate::support::{Client, sha256};

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
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

struct OneUser {
    crime: Crime,
    right: SingleUser<MemoryStore>,
    server: Arc<RedisServer>,
}

impl OneUser {
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

impl Culprit for OneUser {
    fn profile(&self) -> Profile {
        self.right.profile()
    }

    fn next(&self, _: &Login, cx: &Context) -> Patch {
        Login::new_password(cx)
    }

    async fn set(&self, login: &Login, pending: &Login) -> Result<(), RotatorError> {
        let new = format!("#{}", sha256(&pending.password));
        let old = format!("#{}", sha256(&login.password));
        match self.crime {
            Crime::Replaces => self.change(&pending.username, &["resetpass", &new]).await,
            Crime::Resets => {
                let rules = ["resetpass", &old, &new];
                self.change(&pending.username, &rules).await
            }
            _ => self.change(&pending.username, &[&new]).await,
        }
    }

    async fn test(&self, candidate: &Login, cx: &Context) -> Result<Verdict, RotatorError> {
        match candidate.asked(&self.right, cx).await {
            Err(_) if self.crime == Crime::TakesDoubtForRefusal => Ok(Verdict::Rejected),
            verdict => verdict,
        }
    }

    async fn retire(
        &self,
        retired: &Login,
        kept: &[&Login],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        match self.crime {
            Crime::RetiresNothing => Ok(()),
            Crime::RemovesBlindly => {
                let gone = format!("!{}", sha256(&retired.password));
                self.change(&retired.username, &[&gone]).await
            }
            _ => {
                let kept: Vec<_> = kept.iter().map(|kept| kept.read()).collect();
                let kept: Vec<_> = kept.iter().collect();
                self.right.retire(&retired.read(), &kept, cx).await
            }
        }
    }
}

async fn is_convicted(crime: Crime, of: Invariant) {
    let server = Server::start(RedisServer::builder(), false).await;
    let fresh = async |world: World| {
        let (user, secret): (User, _) = Arc::clone(&server).user(&world).await;
        let server = user.redis();
        Trial::new(user, secret, move || {
            Wrong(OneUser {
                crime,
                right: rotator(world.store()),
                server: Arc::clone(&server),
            })
        })
    };
    crate::culprit::is_convicted(crime, of, fresh).await;
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
