//! The table of rotators: their names, the engines that they fit, and how each is made. A new one is a word
//! of [`Kind`], its lines in [`ENGINES`], and an arm of [`engine`].

use clap::ValueEnum;
use lambda::config::{self, OAuth, Strategy};
use lambda::environment::{Environment, InvalidConfiguration};
use rotators::api_key::ApiKey;
use rotators::iam::IamKey;
use rotators::oauth::bearer::BearerToken;
use rotators::oauth::refresh_chain::RefreshChain;
use rotators::oauth::registration::Registration;
use rotators::oauth::tokens::Tokens;
use rotators::{ldap, mongodb, mysql, postgres, rabbitmq, redis, redshift, sqlserver};
use secrets_core::rotation::Rotation;
use secrets_core::rotator::Rotator;

use crate::engine::Engine;
use crate::store::Store;

/// A function of the crate `lambda`, by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// PostgreSQL and Aurora PostgreSQL; STRATEGY: one user, or two.
    Postgres,
    /// MySQL, Aurora MySQL and MariaDB; STRATEGY: one user, or two.
    #[value(name = "mysql")]
    MySql,
    /// MongoDB and Amazon DocumentDB; STRATEGY: one user, or two.
    #[value(name = "mongodb")]
    MongoDb,
    /// `RabbitMQ`; STRATEGY: two users, or one.
    #[value(name = "rabbitmq")]
    RabbitMq,
    /// Redis and Valkey.
    Redis,
    /// Amazon Redshift; STRATEGY: one user, or two.
    Redshift,
    /// Entries of OpenLDAP directories.
    Ldap,
    /// SQL Server; STRATEGY: one user, or two.
    #[value(name = "sqlserver")]
    SqlServer,
    /// Bearer tokens of X (Twitter).
    BearerToken,
    /// OAuth tokens and client secrets; `OAUTH_ROTATES` says which.
    Oauth,
    /// Access keys of AWS IAM users.
    IamKey,
    /// API keys of a provider that CONFIGURATION describes.
    ApiKey,
}

/// What `engine` in a secret leads to; no other secrets have that key.
pub(crate) const ENGINES: &[(&str, Kind)] = &[
    ("postgres", Kind::Postgres),
    ("aurora-postgresql", Kind::Postgres),
    ("mysql", Kind::MySql),
    ("aurora-mysql", Kind::MySql),
    ("mariadb", Kind::MySql),
    ("mongo", Kind::MongoDb),
    ("mongodb", Kind::MongoDb),
    ("documentdb", Kind::MongoDb),
    ("docdb", Kind::MongoDb),
    ("rabbitmq", Kind::RabbitMq),
    ("redis", Kind::Redis),
    ("valkey", Kind::Redis),
    ("redshift", Kind::Redshift),
    ("openldap", Kind::Ldap),
    ("ldap", Kind::Ldap),
    ("sqlserver", Kind::SqlServer),
    ("sqlserver-ee", Kind::SqlServer),
    ("sqlserver-se", Kind::SqlServer),
    ("sqlserver-ex", Kind::SqlServer),
    ("sqlserver-web", Kind::SqlServer),
];

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::MongoDb => "mongodb",
            Self::RabbitMq => "rabbitmq",
            Self::Redis => "redis",
            Self::Redshift => "redshift",
            Self::Ldap => "ldap",
            Self::SqlServer => "sqlserver",
            Self::BearerToken => "bearer-token",
            Self::Oauth => "oauth",
            Self::IamKey => "iam-key",
            Self::ApiKey => "api-key",
        }
    }

    /// What a secret with that engine is rotated by.
    pub(crate) fn of_engine(engine: &str) -> Option<Self> {
        let found = ENGINES.iter().find(|(name, _)| *name == engine);
        found.map(|(_, kind)| *kind)
    }
}

/// An engine with the rotator that the function of that name would have.
pub(crate) fn engine(
    kind: Kind,
    mut env: Environment,
    store: &Store,
) -> Result<Box<dyn Engine>, InvalidConfiguration> {
    let secrets = store.clone();
    // One user, or two that take turns: as STRATEGY says.
    macro_rules! users {
        ($engine:ident, $strategy:ident, $settings:ident, $pair:ident) => {
            match config::$strategy(&mut env) {
                Strategy::SingleUser => {
                    let made = config::$settings(&mut env);
                    let made = made.map(|it| $engine::SingleUser::new(secrets, it));
                    over(env, made, store)
                }
                Strategy::AlternatingUsers => {
                    let made = config::$settings(&mut env).zip(config::$pair(&mut env));
                    let made =
                        made.map(|(it, pair)| $engine::AlternatingUsers::new(secrets, it, pair));
                    over(env, made, store)
                }
            }
        };
    }
    match kind {
        Kind::Postgres => users!(postgres, strategy, postgres_with_admins, postgres_pair),
        Kind::MySql => match config::strategy(&mut env) {
            Strategy::SingleUser => {
                let settings = config::mysql_with_admins(&mut env);
                let old_password = config::old_password(&mut env);
                let made = settings.map(|it| mysql::SingleUser::new(secrets, it, old_password));
                over(env, made, store)
            }
            Strategy::AlternatingUsers => {
                let settings = config::mysql_with_admins(&mut env);
                let settings = settings.zip(config::suffix_pair(&mut env));
                let made =
                    settings.map(|(it, pair)| mysql::AlternatingUsers::new(secrets, it, pair));
                over(env, made, store)
            }
        },
        Kind::MongoDb => users!(mongodb, strategy, mongodb, suffix_pair),
        Kind::RabbitMq => users!(rabbitmq, rabbitmq_strategy, rabbitmq, suffix_pair),
        Kind::Redshift => users!(redshift, strategy, redshift, suffix_pair),
        Kind::SqlServer => users!(sqlserver, strategy, sqlserver_with_admins, suffix_pair),
        Kind::Redis => {
            let settings = config::redis(&mut env);
            let made = settings.map(|it| redis::SingleUser::new(secrets, it));
            over(env, made, store)
        }
        Kind::Ldap => {
            let settings = config::ldap(&mut env);
            let made = settings.map(|it| ldap::SingleUser::new(secrets, it));
            over(env, made, store)
        }
        Kind::BearerToken => {
            let settings = config::bearer_token(&mut env);
            over(env, settings.map(|it| BearerToken::new(secrets, it)), store)
        }
        Kind::Oauth => match config::oauth(&mut env) {
            OAuth::Tokens => {
                let settings = config::tokens(&mut env);
                over(env, settings.map(|it| Tokens::new(secrets, it)), store)
            }
            OAuth::RefreshChain => {
                let settings = config::refresh_chain(&mut env);
                over(
                    env,
                    settings.map(|it| RefreshChain::new(secrets, it)),
                    store,
                )
            }
            OAuth::ClientSecret => {
                let settings = config::client_secret(&mut env);
                over(env, settings.map(|it| ApiKey::new(secrets, it)), store)
            }
            OAuth::Registration => {
                let settings = config::registration(&mut env);
                over(env, settings.map(Registration::new), store)
            }
        },
        Kind::IamKey => {
            let settings = config::iam_key(&mut env);
            over(env, settings.map(|it| IamKey::new(secrets, it)), store)
        }
        Kind::ApiKey => {
            let settings = config::api_key(&mut env);
            over(env, settings.map(|it| ApiKey::new(secrets, it)), store)
        }
    }
}

fn over<R: Rotator + 'static>(
    mut env: Environment,
    rotator: Option<R>,
    store: &Store,
) -> Result<Box<dyn Engine>, InvalidConfiguration> {
    let min_overlap = config::min_overlap(&mut env);
    let rotation = Rotation::new(store.clone(), env.finish(rotator)?);
    Ok(Box::new(match min_overlap {
        Some(min_overlap) => rotation.with_min_overlap(min_overlap),
        None => rotation,
    }))
}
