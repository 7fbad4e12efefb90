//! The making of the second user: everything first, the password last.
//!
//! So a user that is half made never passes for a whole one: until the last command nobody knows a password
//! of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use secrets_core::rotator::RotatorError;

use super::change;
use super::connection::Session;
use super::credential::User;
use super::error::{Failure, Peer, code};
use super::portrait::{Detail, Portrait};
use crate::database::pair::Partner;
use crate::database::turns::Readiness;

/// The admin at work.
pub(super) struct Twin<'s> {
    pub(super) session: &'s mut Session,
    /// The user whose rights are the measure.
    pub(super) model: &'s Partner,
    pub(super) wanted: &'s User,
}

impl Twin<'_> {
    /// Makes the second user, or brings it into line, and then sets its password.
    pub(super) async fn make(&mut self) -> Result<(), RotatorError> {
        let model = self.model().await?;
        if let Some(own) = self.own().await? {
            if model.difference(&own).is_some() {
                let name = own_name(self.wanted);
                let aligned = change::align(self.session, name, &own, &model).await;
                aligned.map_err(|failure| giving(failure, self.peer()))?;
            }
        } else {
            self.check_may_be_made()?;
            let name = own_name(self.wanted);
            let password = random_password()?;
            let created = change::create(self.session, name, &password, &model).await;
            created.map_err(|failure| giving(failure, self.peer()))?;
        }
        let made = self.own().await?;
        let found = match &made {
            None => Some("it is gone again"),
            Some(own) => model.difference(own),
        };
        if let Some(found) = found {
            return Err(RotatorError::misconfigured(format!(
                "at {} the two users of the pair cannot be brought into line: of the second {found}; no \
                 password was changed; give both the same by hand, and rotate again",
                self.peer()
            )));
        }
        let password = self.wanted.login.password.expose_secret();
        let name = own_name(self.wanted);
        let mechanisms = model.mechanisms.as_ref();
        let changed = change::set_password(self.session, name, password, mechanisms).await;
        changed.map_err(|failure| giving(failure, self.peer()))
    }

    /// Whether the second user may do the same.
    pub(super) async fn readiness(&mut self) -> Result<Readiness, RotatorError> {
        let model = self.model().await?;
        let Some(own) = self.own().await? else {
            return Ok(Readiness::Lacking("it does not exist"));
        };
        if model.mechanisms != own.mechanisms {
            return Ok(Readiness::Lacking("its mechanisms are others"));
        }
        let difference = model.difference(&own);
        Ok(difference.map_or(
            Readiness::Ready {
                has_password: false,
            },
            Readiness::Lacking,
        ))
    }

    async fn model(&mut self) -> Result<Portrait, RotatorError> {
        let name = (self.model.name.as_str(), self.wanted.database.as_str());
        let model = Portrait::of(self.session, name, Detail::Whole).await?;
        let peer = self.peer();
        let model = model.ok_or_else(|| {
            RotatorError::refused(format!(
                "{peer} has no user of the name of the other one of the pair in that \
                 `authentication_database`, whose rights are the measure; create it again"
            ))
            .with_code(code::USER_NOT_FOUND.to_string())
        })?;
        if model.has_password() {
            Ok(model)
        } else {
            Err(peer.no_password())
        }
    }

    async fn own(&mut self) -> Result<Option<Portrait>, RotatorError> {
        Portrait::of(self.session, own_name(self.wanted), Detail::Whole).await
    }

    /// Users that the secret names belong to who named them.
    fn check_may_be_made(&self) -> Result<(), RotatorError> {
        if !self.model.named {
            return Ok(());
        }
        Err(RotatorError::misconfigured(format!(
            "{} has not both users, but the secret names them in `usernames`; create the second one, with \
             any password; nothing was changed",
            self.peer()
        )))
    }

    fn peer(&self) -> &Peer {
        self.session.peer()
    }
}

fn own_name(user: &User) -> (&str, &str) {
    (&user.login.username, &user.database)
}

/// A password that nobody ever knows.
fn random_password() -> Result<Zeroizing<String>, RotatorError> {
    let mut random = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(random.as_mut()).map_err(|_| {
        RotatorError::unreachable("the system gives no randomness; try again later")
    })?;
    Ok(Zeroizing::new(BASE64.encode(random.as_ref())))
}

fn giving(failure: Failure, peer: &Peer) -> RotatorError {
    failure.explained(peer, |code| match code {
        code::USER_EXISTS | code::USER_NOT_FOUND => Some(RotatorError::unreachable(format!(
            "somebody else makes or drops the same user at {peer} at this moment; try again later"
        ))),
        code::ROLE_NOT_FOUND => Some(RotatorError::refused(format!(
            "the first user has a role that {peer} does not know any more; revoke it from the user, or \
             create it again"
        ))),
        code::UNAUTHORIZED => Some(RotatorError::refused(format!(
            "{peer} may not make the second user, or not give it what the first one has; grant the admin \
             createUser and changePassword on the users' database, grantRole and revokeRole on every one, \
             and, where the first user has these, changeCustomData and setAuthenticationRestriction; no \
             password was changed"
        ))),
        _ => None,
    })
}
