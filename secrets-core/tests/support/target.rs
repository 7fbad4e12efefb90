//! A target with one password.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};

use super::FIRST;

/// A target with one password, and a log of what was asked of it.
#[derive(Clone)]
pub struct Target(Arc<Mutex<State>>);

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target")
    }
}

pub struct State {
    pub password: String,
    /// Another password that is let in.
    pub also: Option<String>,
    pub log: Vec<String>,
    pub minted: u32,
    /// What every call answers, instead of doing anything.
    pub down: Option<RotatorError>,
    /// What a change answers, instead of changing anything.
    pub refuses_change: Option<RotatorError>,
    /// Refuses new values by its own rules.
    pub picky: bool,
    /// Refuses a new value since another invocation has just set it; the one before works as well.
    pub forestalled: bool,
    /// Never answers.
    pub hangs: bool,
    pub profile: Profile,
    /// What `create` returns instead of a new password.
    pub patch: Option<Patch>,
}

impl Target {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            password: FIRST.to_owned(),
            also: None,
            log: Vec::new(),
            minted: 0,
            down: None,
            refuses_change: None,
            picky: false,
            forestalled: false,
            hangs: false,
            profile: Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace),
            patch: None,
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds this")
    }

    /// The log since the last look.
    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }

    async fn reach(&self, what: String) -> Result<(), RotatorError> {
        let (down, hangs) = {
            let mut state = self.state();
            state.log.push(what);
            (state.down.clone(), state.hangs)
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        down.map_or(Ok(()), Err)
    }
}

pub struct Password(pub SecretString);

impl TryFrom<&SecretDocument> for Password {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        match secret.plain_text() {
            Ok(text) => Ok(Self(text.clone())),
            Err(_) => secret.text("password").map(Self),
        }
    }
}

impl Rotator for Target {
    type Credential = Password;

    fn profile(&self) -> Profile {
        self.state().profile
    }

    async fn create(&self, _: &Password, cx: &Context) -> Result<Patch, RotatorError> {
        let again = cx.tried_since().map(|since| {
            let since = since.duration_since(SystemTime::UNIX_EPOCH);
            format!(
                "create, tried since {}",
                since.unwrap_or_default().as_secs()
            )
        });
        self.reach(again.unwrap_or_else(|| "create".into())).await?;
        let mut state = self.state();
        state.minted += 1;
        let fresh = format!("sentinel-minted-{}", state.minted);
        Ok(state
            .patch
            .clone()
            .unwrap_or_else(|| match state.profile.rotates {
                Rotates::Value => Patch::Text(fresh.into()),
                Rotates::Keys(_) => Patch::key("password", fresh.into()),
            }))
    }

    async fn set(
        &self,
        login: Proven<'_, Password>,
        pending: &Password,
        _: &Context,
    ) -> Result<(), RotatorError> {
        let (login, pending) = (
            login.credential().0.expose_secret(),
            pending.0.expose_secret(),
        );
        self.reach(format!("set {pending} as {login}")).await?;
        let mut state = self.state();
        assert_eq!(state.password, login, "the engine proved another login");
        if let Some(fault) = &state.refuses_change {
            return Err(fault.clone());
        }
        if state.forestalled {
            state.also = Some(std::mem::replace(&mut state.password, pending.to_owned()));
            return Err(RotatorError::rejected_by_target("used before"));
        }
        if state.picky {
            return Err(
                RotatorError::rejected_by_target("too short for this target").with_code("22023"),
            );
        }
        pending.clone_into(&mut state.password);
        Ok(())
    }

    async fn test(&self, candidate: &Password, _: &Context) -> Result<Verdict, RotatorError> {
        let candidate = candidate.0.expose_secret();
        self.reach(format!("test {candidate}")).await?;
        let state = self.state();
        Ok(
            if state.password == candidate || state.also.as_deref() == Some(candidate) {
                Verdict::Accepted
            } else {
                Verdict::Rejected
            },
        )
    }

    async fn retire(
        &self,
        retired: &Password,
        kept: &[&Password],
        _: &Context,
    ) -> Result<(), RotatorError> {
        let kept: Vec<_> = kept.iter().map(|kept| kept.0.expose_secret()).collect();
        self.reach(format!(
            "retire {} keep {}",
            retired.0.expose_secret(),
            kept.join(" ")
        ))
        .await
    }
}
