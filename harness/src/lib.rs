//! Real servers for tests and examples, each thrown away when its value is dropped.
//!
//! | module | what it runs |
//! |---|---|
//! | [`postgres`] | `PostgreSQL` servers with TLS, in a temporary folder |
//! | [`mysql`], [`mariadb`] | `MySQL` and `MariaDB` servers, likewise |
//! | [`mongodb`] | a protocol fake of `MongoDB` and Amazon `DocumentDB`: logins and users |
//! | [`rds`] | the databases and managed secrets of Amazon RDS, on moto |
//! | [`ldap`] | `OpenLDAP` servers, likewise |
//! | [`redis`] | Redis and Valkey servers, likewise |
//! | [`redshift`] | a protocol fake of Amazon Redshift |
//! | [`rabbitmq`] | `RabbitMQ` brokers with their management API, likewise |
//! | [`secrets_manager`] | the Secrets Manager emulator moto, and a caller for its wire protocol |
//! | [`iam`] | IAM users and their access keys: on moto, and a fake that can be told to fail |
//! | [`key_server`] | a provider of API keys whose manners can be set |
//! | [`oauth_provider`] | a provider of bearer tokens, one an API key |
//! | [`oidc`] | a certified OAuth server: client credentials, refresh tokens, revocation, registration |
//! | [`token_server`] | a provider of OAuth tokens whose manners can be set |
//! | [`sqlserver`] | SQL Server's protocol and its rules about logins and rights: a fake that can be told to fail |
//! | [`lambda_host`] | the Lambda Runtime API, and a built function as its child process |
//! | [`proxy`] | HTTP and TCP proxies that fail at an exact call |
//! | [`tls`] | certificate authorities and server certificates |
//!
//! Everything listens on 127.0.0.1, and every child process dies with the process that started it,
//! even when that one is killed. Linux only: this rests on `setpriv` of util-linux.
//!
//! What a test needs and does not find is a panic that holds the install command, never a silent
//! skip. There are no `Result`s to handle either: a harness that cannot start is a failed test.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test support: a panic is how a test learns that its surroundings are broken"
)]

pub mod iam;
pub mod key_server;
pub mod lambda_host;
pub mod ldap;
pub mod mariadb;
pub mod mongodb;
pub mod mysql;
pub mod oauth_provider;
pub mod oidc;
pub mod postgres;
pub mod proxy;
pub mod rabbitmq;
pub mod rds;
pub mod redis;
pub mod redshift;
pub mod secrets_manager;
pub mod sqlserver;
pub mod tls;
pub mod token_server;

mod daemon;
mod http;
mod misbehaviour;
mod port;
mod process;
mod query;
mod random;
mod scratch;
mod user;
mod workspace;
