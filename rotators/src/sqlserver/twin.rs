//! The making of the second user: everything first, the password last.
//!
//! So a user that is half made never passes for a whole one: until the last statement nobody knows a
//! password of it.

use secrecy::ExposeSecret;
use secrets_core::rotator::RotatorError;

use super::catalogue;
use super::change::{Keeper, set_password};
use super::connection::Session;
use super::credential::Login;
use super::error::{Peer, SessionError, code, is_missing_right, rejected};
use super::portrait::{Portrait, difference};
use super::settings::SqlServerSettings;
use super::single_user::new_password;
use super::sql::{Ident, Literal, Sql};
use super::steps::{Action, actions, with_options};
use crate::database::pair::{Partner, base};
use crate::database::turns::Readiness;

/// How often rights are compared. What one round of statements uncovers, such as what a new user may do
/// without being told, the next one sees.
const ROUNDS: usize = 4;

/// Where rights at the server are given and taken.
const MASTER: &str = "master";

/// The admin at work.
pub(super) struct Twin<'s> {
    pub(super) session: &'s mut Session,
    pub(super) settings: &'s SqlServerSettings,
    pub(super) suffix: &'s str,
    /// The database of the secret.
    pub(super) database: &'s str,
    /// The user whose rights are the measure.
    pub(super) model: &'s Partner,
    pub(super) wanted: &'s Login,
}

/// What both users are, and where they may be found.
struct Scene {
    keeper: Keeper,
    databases: Vec<String>,
    model: Portrait,
    own: Option<Portrait>,
}

impl Twin<'_> {
    /// Makes the second user, or brings it into line, and then sets its password.
    pub(super) async fn make(&mut self) -> Result<(), RotatorError> {
        self.check_admin().await?;
        let scene = self.scene().await?;
        let (keeper, databases, model) = (scene.keeper, scene.databases, scene.model);
        let mut own = scene.own;
        if own.is_none() {
            self.check_may_be_made()?;
            self.create(keeper, &model).await?;
            own = self.portrait(keeper, &databases).await?;
        }
        for _ in 0..ROUNDS {
            let Some(found) = &own else { break };
            if difference(&model, found).is_none() {
                return self.set_password(keeper).await;
            }
            self.align(&model, found).await?;
            own = self.portrait(keeper, &databases).await?;
        }
        if own.is_some_and(|own| difference(&model, &own).is_none()) {
            return self.set_password(keeper).await;
        }
        Err(RotatorError::misconfigured(format!(
            "at {} the two users of the pair cannot be brought into line, such as where another one than this \
             admin has given a right; no password was changed; give both the same by hand, and rotate again",
            self.peer()
        )))
    }

    /// Whether the second user may do the same.
    pub(super) async fn readiness(&mut self) -> Result<Readiness, RotatorError> {
        let scene = self.scene().await?;
        let Some(own) = scene.own else {
            return Ok(Readiness::Lacking("it does not exist"));
        };
        Ok(match difference(&scene.model, &own) {
            Some(what) => Readiness::Lacking(what),
            None => Readiness::Ready {
                has_password: false,
            },
        })
    }

    async fn scene(&mut self) -> Result<Scene, RotatorError> {
        let (model, database) = (&self.model.name, self.database);
        let keeper = catalogue::keeper_of(self.session, model, database).await?;
        self.check_sight(keeper).await?;
        let databases = match keeper {
            Keeper::User => vec![database.to_owned()],
            Keeper::Login => {
                let found = catalogue::databases(self.session).await;
                found.map_err(|fault| fault.of_statement(self.session.peer()))?
            }
        };
        if !databases.iter().any(|it| it.eq_ignore_ascii_case(database)) {
            return Err(RotatorError::refused(format!(
                "{} may not enter the database `dbname`; CREATE USER .. FOR LOGIN the admin there, and ALTER \
                 ROLE db_owner ADD MEMBER it",
                self.peer()
            )));
        }
        let model = Portrait::of(self.session, keeper, model, &databases).await?;
        let Some(model) = model else {
            return Err(RotatorError::refused(format!(
                "{} sees no login with a password of the name of the other user of the pair, whose rights are \
                 the measure; create it again, or GRANT ALTER ANY LOGIN TO the admin",
                self.peer()
            ))
            .with_code(code::NO_LOGIN_OR_RIGHT.to_string()));
        };
        let own = self.portrait(keeper, &databases).await?;
        Ok(Scene {
            keeper,
            databases,
            model,
            own,
        })
    }

    async fn portrait(
        &mut self,
        keeper: Keeper,
        databases: &[String],
    ) -> Result<Option<Portrait>, RotatorError> {
        Portrait::of(self.session, keeper, &self.wanted.username, databases).await
    }

    /// The catalogue leaves out what the admin may not see, without a word.
    async fn check_sight(&mut self, keeper: Keeper) -> Result<(), RotatorError> {
        let sql = Sql::new(match keeper {
            Keeper::Login => "SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS sees",
            Keeper::User => {
                "SELECT HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DEFINITION') AS sees"
            }
        });
        let answer = self.session.records(&sql).await;
        let answer = answer.map_err(|fault| fault.of_statement(self.session.peer()))?;
        if answer.first().and_then(|it| it.number("sees")) == Some(1) {
            return Ok(());
        }
        Err(RotatorError::refused(format!(
            "{} is not shown all that the users of the pair may do; GRANT VIEW ANY DEFINITION TO the admin (in \
             a contained database: VIEW DEFINITION); nothing was changed",
            self.peer()
        )))
    }

    /// An admin that is one of the two would change itself.
    async fn check_admin(&mut self) -> Result<(), RotatorError> {
        let sql = Sql::new("SELECT ORIGINAL_LOGIN() AS name");
        let answer = self.session.records(&sql).await;
        let answer = answer.map_err(|fault| fault.of_statement(self.session.peer()))?;
        let name = answer.first().and_then(|it| it.text("name"));
        let name = name.unwrap_or_default();
        let pair = [&self.model.name, &self.wanted.username];
        if pair.iter().any(|one| one.eq_ignore_ascii_case(&name)) {
            return Err(RotatorError::misconfigured(format!(
                "{} is one of the two users that take turns; let `masterarn` name another user",
                self.peer()
            )));
        }
        Ok(())
    }

    /// Users that the secret names belong to who named them.
    fn check_may_be_made(&self) -> Result<(), RotatorError> {
        if !self.model.named {
            return Ok(());
        }
        Err(RotatorError::misconfigured(format!(
            "{} has no second user, but the secret names it in `usernames`; create it, with any password; \
             nothing was changed",
            self.peer()
        )))
    }

    /// Creates the login, or the user of the contained database, with a password that nobody knows.
    async fn create(&mut self, keeper: Keeper, model: &Portrait) -> Result<(), RotatorError> {
        let nobodys = new_password(self.settings)?;
        let password = Literal(nobodys.expose_secret());
        let name = Ident(&self.wanted.username);
        let create = if let (Keeper::Login, Some(login)) = (keeper, &model.login) {
            let create = Sql::new("CREATE LOGIN ").ident(name);
            let create = create.text(" WITH PASSWORD = ").literal(password);
            with_options(create.text(", "), &login.options)
        } else {
            let create = Sql::new("CREATE USER ").ident(name);
            let create = create.text(" WITH PASSWORD = ").literal(password);
            let schema = model.users.values().find_map(|user| user.schema.as_ref());
            match schema {
                Some(schema) => create.text(", DEFAULT_SCHEMA = ").ident(Ident(schema)),
                None => create,
            }
        };
        let place = match keeper {
            Keeper::Login => MASTER,
            Keeper::User => self.database,
        };
        self.run(place, &create).await
    }

    async fn align(&mut self, model: &Portrait, own: &Portrait) -> Result<(), RotatorError> {
        let login = &self.wanted.username;
        let name_in = |models: &str| self.name_in(models);
        for Action { database, sql } in actions(model, own, login, name_in) {
            self.run(database.as_deref().unwrap_or(MASTER), &sql)
                .await?;
        }
        Ok(())
    }

    /// What the user of the second login is called in a database, as AWS's functions have it.
    fn name_in(&self, models: &str) -> String {
        if models.eq_ignore_ascii_case(&self.model.name) {
            return self.wanted.username.clone();
        }
        match base(models, self.suffix) {
            base if base == models => format!("{models}{}", self.suffix),
            base => base.to_owned(),
        }
    }

    async fn set_password(&mut self, keeper: Keeper) -> Result<(), RotatorError> {
        if keeper == Keeper::User {
            let entered = self.session.enter(self.database).await;
            entered.map_err(|fault| fault.of_statement(self.session.peer()))?;
        }
        set_password(self.session, keeper, self.wanted, None).await
    }

    async fn run(&mut self, database: &str, sql: &Sql) -> Result<(), RotatorError> {
        let done = match self.session.enter(database).await {
            Ok(()) => self.session.run(sql).await,
            entering => entering,
        };
        done.map_err(|fault| making(fault, self.session.peer()))
    }

    fn peer(&self) -> &Peer {
        self.session.peer()
    }
}

fn making(fault: SessionError, peer: &Peer) -> RotatorError {
    fault.explained(peer, |code| match code {
        code::LOGIN_TAKEN => Some(RotatorError::unreachable(format!(
            "the name of the second user is taken at {peer} by somebody who is no login with a password, or was \
             made at this moment; try again later, or choose another suffix"
        ))),
        code::NAME_TAKEN | code::OTHER_USER => Some(RotatorError::misconfigured(format!(
            "in a database of {peer} the name of the second user is taken by a user of another login; ALTER \
             USER .. WITH LOGIN = the second login, or drop that user; no password was changed"
        ))),
        _ if is_missing_right(code) => Some(RotatorError::refused(format!(
            "{peer} may not give the second user what the first may do, or take from it what it may not; GRANT \
             ALTER ANY LOGIN TO the admin, make it a member of db_owner in the databases of the users, and GRANT \
             it what they may do at the server WITH GRANT OPTION; no password was changed"
        ))),
        _ => rejected(code, peer),
    })
}
