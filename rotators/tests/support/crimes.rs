//! What authors of rotators do wrong whatever the engine, done to servers that live in this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Rotator, RotatorError, Verdict};
use secrets_core::testing::World;

use crate::culprit::{Culprit, Login};

/// A server that does what it is told, past its protocol. Each call is one statement.
pub trait Obeys: Send + Sync + 'static {
    fn has_user(&self, user: &str) -> bool;

    /// Whether it was ever given anything.
    fn has_rights(&self, user: &str) -> bool;

    /// A user that may log in at most, and whose password nobody knows.
    fn make(&self, user: &str);

    /// What the first user may do.
    fn give_rights(&self, user: &str);

    /// What AWS's function copies of that.
    fn give_some_rights(&self, user: &str);

    fn set_password(&self, user: &str, password: &str);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrimeOfOne {
    /// Takes a server out of reach for a wrong password.
    TakesDoubtForRefusal,
    /// Takes each answer with a code for one about the password.
    TakesAnyCodeForRefusal,
    /// Presents a password that was refused once more, such as by another mechanism.
    TriesTwice,
    /// Asks whether the server is there, and not whether it takes the password.
    PublishesWithoutATest,
}

/// One user, whose password is replaced by the server's own hand.
pub struct OneUser<S, R> {
    pub server: Arc<S>,
    pub right: R,
    pub crime: Option<CrimeOfOne>,
}

impl<S: Obeys, R: Rotator> Culprit for OneUser<S, R> {
    fn profile(&self) -> Profile {
        self.right.profile()
    }

    fn next(&self, _: &Login, cx: &Context) -> Patch {
        Login::new_password(cx)
    }

    async fn set(&self, _: &Login, pending: &Login) -> Result<(), RotatorError> {
        self.server
            .set_password(&pending.username, &pending.password);
        Ok(())
    }

    async fn test(&self, candidate: &Login, cx: &Context) -> Result<Verdict, RotatorError> {
        match (self.crime, candidate.asked(&self.right, cx).await) {
            (Some(CrimeOfOne::TakesDoubtForRefusal), Err(_)) => Ok(Verdict::Rejected),
            (Some(CrimeOfOne::TakesAnyCodeForRefusal), Err(fault)) if fault.code().is_some() => {
                Ok(Verdict::Rejected)
            }
            (Some(CrimeOfOne::TriesTwice), Ok(Verdict::Rejected)) => {
                candidate.asked(&self.right, cx).await
            }
            (Some(CrimeOfOne::PublishesWithoutATest), Ok(_)) => Ok(Verdict::Accepted),
            (_, verdict) => verdict,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrimeOfTwo {
    /// The password comes before the rights, and a login is all that is asked.
    SetsThePasswordFirst,
    /// Rights are left out that AWS's function does not know.
    LeavesOutRights,
    /// A user without rights is taken for one that is not there.
    ForgetsWhatACrashLeft,
    /// The password of the user in use is set.
    ReplacesInPlace,
    /// createSecret sets the password that it makes, each time another one, and setSecret nothing.
    SetsWhileItCreates,
}

/// Two users that take turns; a login of one user is all that is asked.
pub struct TwoUsers<S, R> {
    pub server: Arc<S>,
    pub right: R,
    pub world: World,
    pub crime: Option<CrimeOfTwo>,
}

impl<S: Obeys, R: Rotator> TwoUsers<S, R> {
    /// One statement, where the kit may break it.
    async fn run(
        &self,
        name: &'static str,
        work: impl FnOnce(&S) + Send,
    ) -> Result<(), RotatorError> {
        self.world.effect(name, async { work(&self.server) }).await
    }

    async fn make(&self, user: &str) -> Result<(), RotatorError> {
        let forgets = self.crime == Some(CrimeOfTwo::ForgetsWhatACrashLeft);
        match (self.server.has_user(user), self.server.has_rights(user)) {
            (true, false) if forgets => Err(RotatorError::refused("there is such a user")),
            (true, _) => Ok(()),
            (false, _) => self.run("make", |server| server.make(user)).await,
        }
    }
}

impl<S: Obeys, R: Rotator> Culprit for TwoUsers<S, R> {
    fn next(&self, current: &Login, cx: &Context) -> Patch {
        match self.crime {
            Some(CrimeOfTwo::ReplacesInPlace) => Login::new_password(cx),
            Some(CrimeOfTwo::SetsWhileItCreates) => {
                static CREATED: AtomicUsize = AtomicUsize::new(0);
                let (server, user) = (&self.server, current.other());
                if !server.has_user(&user) {
                    server.make(&user);
                    server.give_rights(&user);
                }
                let password = format!("Sentinel-{}", CREATED.fetch_add(1, Ordering::Relaxed));
                server.set_password(&user, &password);
                Patch::key("username", user.into()).and("password", password.into())
            }
            _ => current.of_the_other(cx),
        }
    }

    async fn set(&self, _: &Login, pending: &Login) -> Result<(), RotatorError> {
        let user = &pending.username;
        let password = |server: &S| server.set_password(user, &pending.password);
        self.make(user).await?;
        match self.crime {
            Some(CrimeOfTwo::SetsWhileItCreates) => Ok(()),
            Some(CrimeOfTwo::SetsThePasswordFirst) => {
                self.run("password", password).await?;
                self.run("rights", |server| server.give_rights(user)).await
            }
            Some(CrimeOfTwo::LeavesOutRights) => {
                self.run("some rights", |server| server.give_some_rights(user))
                    .await?;
                self.run("password", password).await
            }
            Some(CrimeOfTwo::ReplacesInPlace) => self.run("password", password).await,
            _ => {
                self.run("rights", |server| server.give_rights(user))
                    .await?;
                self.run("password", password).await
            }
        }
    }

    async fn test(&self, candidate: &Login, cx: &Context) -> Result<Verdict, RotatorError> {
        candidate.asked(&self.right, cx).await
    }
}
