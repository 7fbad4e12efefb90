//! Rotators for AWS Secrets Manager: one module an engine, one type a strategy.
//!
//! | target | strategy | what rotates | gap for readers of `AWSCURRENT` |
//! |---|---|---|---|
//! | `PostgreSQL`, Aurora `PostgreSQL` | [`postgres::SingleUser`] | the role's password | from `setSecret` to `finishSecret` |
//! | the same | [`postgres::AlternatingUsers`] | the user, of two, and its password | none |
//! | `MySQL`, Aurora `MySQL`, `MariaDB` | [`mysql::SingleUser`] | the user's password | none; where there is no room for two passwords, from `setSecret` to `finishSecret` |
//! | the same | [`mysql::AlternatingUsers`] | the user, of two, and its password | none |
//! | Amazon Redshift | [`redshift::SingleUser`] | the user's password | from `setSecret` to `finishSecret` |
//! | the same | [`redshift::AlternatingUsers`] | the user, of two, and its password | none |
//! | `MongoDB`, Amazon `DocumentDB` | [`mongodb::SingleUser`] | the user's password | from `setSecret` to `finishSecret` |
//! | the same | [`mongodb::AlternatingUsers`] | the user, of two, and its password | none |
//! | Redis, Valkey | [`redis::SingleUser`] | the user's password | none |
//! | entry of an `OpenLDAP` directory | [`ldap::SingleUser`] | the entry's password | none |
//! | `RabbitMQ` | [`rabbitmq::AlternatingUsers`] | the user, of two, and its password | none |
//! | the same | [`rabbitmq::SingleUser`] | the user's password | from `setSecret` to `finishSecret` |
//! | SQL Server | [`sqlserver::SingleUser`] | the password of a login or contained user | from `setSecret` to `finishSecret` |
//! | the same | [`sqlserver::AlternatingUsers`] | the user, of two, and its password | none |
//! | AWS IAM user | [`iam::IamKey`] | the access key | none |
//! | X (Twitter) app-only bearer token | [`oauth::bearer::BearerToken`], one API key | the token | from `createSecret` to `finishSecret` |
//! | the same | the same, two API keys | the token, and the key that it comes from | none |
//! | tokens that a provider makes on demand (OAuth client credentials, signed assertions) | [`oauth::tokens::Tokens`] | the token | none |
//! | OAuth refresh tokens, good for one exchange | [`oauth::refresh_chain::RefreshChain`] | both tokens | none, where the access token of before works on |
//! | API keys of any provider | [`api_key::ApiKey`], with ids and room for two or more | the key and its id | none |
//! | the same | the same, one that we choose | the key | from `setSecret` to `finishSecret`; none where the provider keeps the previous one |
//! | the same | the same, one that the provider mints in place | the key | from `createSecret` to `finishSecret` |
//! | client secrets of any provider | the same, tested by minting a token | the client secret | as above |
//! | clients registered dynamically (RFC 7592) | [`oauth::registration::Registration`] | the client secret | from `createSecret` to `finishSecret` |
//!
//! A gap means: the target refuses what `AWSCURRENT` holds until the rotation has finished. Readers bridge
//! it by trying `AWSPENDING`; where the new value is minted in the old one's place, only once it is stored
//! there.
//!
//! Secrets have the keys of AWS's own rotation functions, so these rotators take over from them, in the
//! middle of a rotation too. A rotator implements [`secrets_core::rotator::Rotator`]; the order of the
//! steps, the labels and the recovery are the engine's ([`secrets_core::rotation`]).
//!
//! [`password`] makes the passwords, with the rules of `GetRandomPassword`.

#[cfg(feature = "http")]
pub mod api_key;
#[cfg(any(feature = "iam", feature = "rds"))]
mod aws;
#[cfg(feature = "http")]
pub mod configuration;
#[cfg(feature = "_database")]
mod database;
#[cfg(feature = "iam")]
pub mod iam;
#[cfg(feature = "ldap")]
pub mod ldap;
#[cfg(feature = "mongodb")]
pub mod mongodb;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "http")]
pub mod oauth;
pub mod password;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "_postgres_wire")]
mod postgres_wire;
#[cfg(any(feature = "http", feature = "iam"))]
mod propagation;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
#[cfg(any(feature = "_rds_admin", feature = "rds"))]
pub mod rds;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "redshift")]
pub mod redshift;
#[cfg(any(
    feature = "_database",
    feature = "http",
    feature = "iam",
    feature = "rds"
))]
mod second_secret;
#[cfg(feature = "sqlserver")]
pub mod sqlserver;
#[cfg(feature = "_tcp")]
mod tcp;
#[cfg(feature = "_database")]
pub mod tls;
#[cfg(feature = "_web")]
pub mod web;
