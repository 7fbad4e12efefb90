//! Two users that take turns, each with a password and rights.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::testing::{Invariant, Target, Trial, World};

use crate::{acquit, convict};

/// What a rotator does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crime {
    PublishesAnUnderprivilegedClone,
}

#[derive(Clone)]
struct Fake {
    users: Arc<Mutex<BTreeMap<String, User>>>,
    world: World,
    crime: Option<Crime>,
}

#[derive(Default)]
struct User {
    password: String,
    rights: bool,
}

struct Login {
    name: String,
    password: String,
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let text = |key| Ok(secret.text(key)?.expose_secret().to_owned());
        Ok(Self {
            name: text("username")?,
            password: text("password")?,
        })
    }
}

fn fresh(crime: Option<Crime>) -> impl AsyncFn(World) -> Trial<Fake, Fake> {
    async move |world| {
        let first = User {
            password: "sentinel-first".into(),
            rights: true,
        };
        let fake = Fake {
            users: Arc::new(Mutex::new(BTreeMap::from([("app".to_owned(), first)]))),
            world,
            crime,
        };
        let secret = r#"{"username": "app", "password": "sentinel-first"}"#;
        let secret = SecretDocument::from_text(secret);
        Trial::new(fake.clone(), secret, move || fake.clone())
    }
}

impl Fake {
    fn users(&self) -> MutexGuard<'_, BTreeMap<String, User>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, login: &Login, rights: bool) -> bool {
        let users = self.users();
        let user = users.get(&login.name);
        user.is_some_and(|user| user.password == login.password && (user.rights || !rights))
    }
}

impl Rotator for Fake {
    type Credential = Login;

    fn profile(&self) -> Profile {
        Profile::new(
            Rotates::Keys(&["username", "password"]),
            Overlap::UntilNextRotation,
        )
    }

    async fn create(&self, current: &Login, cx: &Context) -> Result<Patch, RotatorError> {
        let other = if current.name == "app" {
            "app_clone"
        } else {
            "app"
        };
        let password = format!("sentinel-{}", cx.version());
        Ok(Patch::key("username", other.into()).and("password", password.into()))
    }

    async fn set(
        &self,
        _: Proven<'_, Login>,
        pending: &Login,
        _: &Context,
    ) -> Result<(), RotatorError> {
        let password = || {
            let mut users = self.users();
            let user = users.entry(pending.name.clone()).or_default();
            user.password.clone_from(&pending.password);
        };
        let grant = || self.users().entry(pending.name.clone()).or_default().rights = true;
        if self.crime.is_none() {
            // The password comes last: until then no probe takes the clone for finished.
            self.world.effect("grant", async { grant() }).await?;
            self.world.effect("password", async { password() }).await
        } else {
            self.world.effect("password", async { password() }).await?;
            self.world.effect("grant", async { grant() }).await
        }
    }

    async fn test(&self, candidate: &Login, _: &Context) -> Result<Verdict, RotatorError> {
        Ok(if self.has(candidate, false) {
            Verdict::Accepted
        } else {
            Verdict::Rejected
        })
    }
}

impl Target for Fake {
    async fn works(&self, secret: &SecretDocument) -> bool {
        Login::try_from(secret).is_ok_and(|login| self.has(&login, true))
    }
}

#[tokio::test(start_paused = true)]
async fn users_that_take_turns_are_acquitted() {
    acquit("alternating users", fresh(None)).await;
}

#[tokio::test(start_paused = true)]
async fn a_clone_without_its_rights_is_found_out() {
    let crime = Crime::PublishesAnUnderprivilegedClone;
    convict(crime, Invariant::NobodyLockedOut, fresh(Some(crime))).await;
}
