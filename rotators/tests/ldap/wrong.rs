//! Rotators that are wrong on purpose: each is convicted of its own crime.

use std::sync::Arc;

use harness::ldap::LdapServer;
use rotators::ldap::SingleUser;
use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Rotator, RotatorError, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Invariant, Trial, World};

use crate::culprit::{Culprit, Login, Wrong};
use crate::kit::{By, Server, User, rotator};
use crate::support::{Client, with_admin};

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
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

struct OneEntry {
    crime: Crime,
    right: SingleUser<MemoryStore>,
    server: Arc<LdapServer>,
}

impl Culprit for OneEntry {
    fn profile(&self) -> Profile {
        self.right.profile()
    }

    fn next(&self, _: &Login, cx: &Context) -> Patch {
        Login::new_password(cx)
    }

    async fn set(&self, _: &Login, pending: &Login) -> Result<(), RotatorError> {
        let (entry, password) = (&pending.username, &pending.password);
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
        if self.crime == Crime::RetiresNothing {
            return Ok(());
        }
        if self.crime == Crime::RemovesBlindly {
            let (entry, password) = (&retired.username, &retired.password);
            let mut root = Client::root(&self.server).await;
            if !root.passwords(entry).await.contains(password) {
                return Err(RotatorError::refused("the server refuses a request"));
            }
            root.remove_value(entry, "userPassword", password).await;
            return Ok(());
        }
        let kept: Vec<_> = kept.iter().map(|kept| kept.read()).collect();
        let kept: Vec<_> = kept.iter().collect();
        self.right.retire(&retired.read(), &kept, cx).await
    }
}

async fn is_convicted(crime: Crime, of: Invariant) {
    let server = Server::start(with_admin(), By::Admin, false).await;
    let fresh = async |world: World| {
        let (user, secret): (User, _) = Arc::clone(&server).user(&world).await;
        let server = user.ldap();
        Trial::new(user, secret, move || {
            Wrong(OneEntry {
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
async fn whoever_takes_doubt_for_a_refusal_is_found_out() {
    is_convicted(Crime::TakesDoubtForRefusal, Invariant::DoubtChangesNothing).await;
}
