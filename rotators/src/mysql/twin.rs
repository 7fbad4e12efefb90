//! The making of the second user: everything first, the password last.
//!
//! So a user that is half made never passes for a whole one: until the last statement nobody knows a
//! password of it.

use secrecy::ExposeSecret;
use secrets_core::rotator::RotatorError;

use super::change::{ByAdmin, Passwords};
use super::connection::{Record, Session};
use super::credential::Login;
use super::error::{Peer, SessionError, code, is_missing_right};
use super::hash::random_password;
use super::portrait::{Portrait, difference};
use super::sql::{Account, Sql};
use super::stored::{Hashing, Stored, rounds};
use super::version::Server;
use crate::database::pair::Partner;
use crate::database::turns::Readiness;

/// How often rights are compared. What one round of statements uncovers, such as privileges below one that
/// was taken away, the next one sees.
const ROUNDS: usize = 4;

/// The admin at work.
pub(super) struct Twin<'s> {
    pub(super) session: &'s mut Session,
    pub(super) server: Server,
    /// The user whose rights are the measure.
    pub(super) model: &'s Partner,
    pub(super) wanted: &'s Login,
}

impl Twin<'_> {
    /// Makes the second user, or brings it into line, and then sets its password.
    pub(super) async fn make(&mut self) -> Result<(), RotatorError> {
        self.check_admin().await?;
        let model = self.model().await?;
        let mut own = self.own().await?;
        self.check_hosts(&model, &own)?;
        for portrait in missing(&model, &own) {
            self.check_may_be_made(portrait)?;
            self.create(portrait).await?;
        }
        for _ in 0..ROUNDS {
            own = self.own().await?;
            if difference(&model, &own).is_none() {
                let password = Passwords::Only(&self.wanted.password);
                let by_admin = ByAdmin::new(self.session, &self.wanted.username);
                return by_admin.change(password).await;
            }
            self.align(&model, &own).await?;
        }
        let found = difference(&model, &own).unwrap_or("they differ");
        Err(RotatorError::misconfigured(format!(
            "at {} the two users of the pair cannot be brought into line: {found}; no password was changed; \
             give both the same by hand, and rotate again",
            self.peer()
        )))
    }

    /// Whether the second user may do the same, and logs in with this password, as far as the admin sees.
    pub(super) async fn readiness(&mut self) -> Result<Readiness, RotatorError> {
        let model = self.model().await?;
        let own = self.own().await?;
        if own.is_empty() {
            return Ok(Readiness::Lacking("it does not exist"));
        }
        // The server tells its admin what it stores, so that a wrong password need not be tried: wrong ones
        // are counted, and lock the user.
        let password = self.wanted.password.expose_secret();
        let known: Vec<_> = own
            .iter()
            .map(|portrait| portrait.stored.has_password(password))
            .collect();
        if known.contains(&Some(false)) {
            return Ok(Readiness::Lacking("it has another password"));
        }
        Ok(match difference(&model, &own) {
            Some(what) => Readiness::Lacking(what),
            None => Readiness::Ready {
                has_password: !known.contains(&None),
            },
        })
    }

    async fn model(&mut self) -> Result<Vec<Portrait>, RotatorError> {
        let model = Portrait::of(self.session, &self.model.name, self.server).await?;
        if model.is_empty() {
            return Err(RotatorError::refused(format!(
                "{} has no user of the name of the other one of the pair, whose rights are the measure; \
                 create it again",
                self.peer()
            ))
            .with_code(code::NO_SUCH_USER.to_string()));
        }
        Ok(model)
    }

    async fn own(&mut self) -> Result<Vec<Portrait>, RotatorError> {
        Portrait::of(self.session, &self.wanted.username, self.server).await
    }

    /// An admin that is one of the two would change itself.
    async fn check_admin(&mut self) -> Result<(), RotatorError> {
        let name = self
            .session
            .records(&Sql::new("SELECT CURRENT_USER()"))
            .await;
        let name = name.map_err(|fault| fault.of_statement(self.peer()))?;
        let name = name.first().and_then(Record::first).unwrap_or_default();
        let user = name
            .rsplit_once('@')
            .map_or(name.clone(), |(user, _)| user.to_owned());
        if [&self.model.name, &self.wanted.username].contains(&&user) {
            return Err(RotatorError::misconfigured(format!(
                "{} is one of the two users that take turns; let `masterarn` name another user",
                self.peer()
            )));
        }
        Ok(())
    }

    /// Accounts that only one of the two has are made, never dropped.
    fn check_hosts(&self, model: &[Portrait], own: &[Portrait]) -> Result<(), RotatorError> {
        let extra = missing(own, model).next();
        let Some(extra) = extra else {
            return Ok(());
        };
        let lacking = Account {
            user: self.model.name.clone(),
            ..extra.stored.account.clone()
        };
        Err(RotatorError::misconfigured(format!(
            "{} has {}, but no {lacking}: the two users of the pair must exist for the same hosts; nothing \
             was changed; DROP USER the one, or create the other",
            self.peer(),
            extra.stored.account
        )))
    }

    /// Users that the secret names belong to who named them.
    fn check_may_be_made(&self, model: &Portrait) -> Result<(), RotatorError> {
        if !self.model.named {
            return Ok(());
        }
        Err(RotatorError::misconfigured(format!(
            "{} has no {}, but the secret names the user in `usernames`; create it, with any password; \
             nothing was changed",
            self.peer(),
            self.own_account(&model.stored.account)
        )))
    }

    /// Creates the account for one host, with a password that nobody knows.
    async fn create(&mut self, model: &Portrait) -> Result<(), RotatorError> {
        let peer = self.peer().clone();
        let rounds = rounds(self.session, self.server).await;
        let hashing = Hashing {
            server: self.server,
            peer: &peer,
            rounds: rounds.map_err(|fault| fault.of_statement(&peer))?,
        };
        let account = Stored {
            account: self.own_account(&model.stored.account),
            methods: model.stored.methods.clone(),
        };
        let create = Sql::new("CREATE USER ");
        let create = account.with_passwords(create, &[&random_password()?], &hashing)?;
        let create = model.options.append(create, None);
        let created = self.session.run(&create).await;
        created.map_err(|fault| making(fault, &peer))
    }

    async fn align(&mut self, model: &[Portrait], own: &[Portrait]) -> Result<(), RotatorError> {
        for (model, own) in model.iter().zip(own) {
            let account = &own.stored.account;
            if model.options != own.options {
                let alter = Sql::new("ALTER USER ").account(account);
                let alter = model.options.append(alter, Some(&own.options));
                let altered = self.session.run(&alter).await;
                altered.map_err(|fault| making(fault, self.peer()))?;
            }
            for step in model.rights.steps(&own.rights, account) {
                let granted = self.session.run(&step).await;
                granted.map_err(|fault| granting(fault, self.peer()))?;
            }
        }
        Ok(())
    }

    fn own_account(&self, model: &Account) -> Account {
        Account {
            user: self.wanted.username.clone(),
            ..model.clone()
        }
    }

    fn peer(&self) -> &Peer {
        self.session.peer()
    }
}

/// Those of `all` whose host is none of `among`.
fn missing<'p>(all: &'p [Portrait], among: &'p [Portrait]) -> impl Iterator<Item = &'p Portrait> {
    let host = |portrait: &Portrait| portrait.stored.account.host.clone();
    all.iter()
        .filter(move |one| among.iter().all(|other| host(other) != host(one)))
}

fn making(fault: SessionError, peer: &Peer) -> RotatorError {
    fault.explained(peer, |code| match code {
        code::NO_SUCH_USER => Some(RotatorError::unreachable(format!(
            "somebody else makes or drops the same user at {peer} at this moment; try again later"
        ))),
        code::TOO_LONG => Some(RotatorError::misconfigured(format!(
            "the name of the second user is too long for {peer}, which is no server of the secret's `engine`; \
             correct that, remove AWSPENDING from the pending version, and choose a shorter suffix"
        ))),
        _ if is_missing_right(code) => Some(RotatorError::refused(format!(
            "{peer} may not make or change users; GRANT CREATE USER ON *.* TO the admin"
        ))),
        _ => None,
    })
}

fn granting(fault: SessionError, peer: &Peer) -> RotatorError {
    fault.explained(peer, |code| {
        // With the codes of a refused login it refuses a right on everything, and a proxy.
        let denied = matches!(code, code::ACCESS_DENIED | 1698) || is_missing_right(code);
        denied.then(|| {
            RotatorError::refused(format!(
                "{peer} may not give the second user what the first may do, or take from it what it may not; \
                 GRANT the same to the admin WITH GRANT OPTION (roles: WITH ADMIN OPTION, or ROLE_ADMIN; \
                 MariaDB's default roles: UPDATE ON mysql.*); no password was changed"
            ))
        })
    })
}
