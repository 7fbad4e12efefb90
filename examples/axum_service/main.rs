//! A service that answers requests out of a pool, while the password of its database rotates three times.
//!
//! ```text
//! cargo run --example axum_service
//! ```
//!
//! It needs PostgreSQL's server programs, and requests itself. Exits with 1 if a request failed.
#![allow(clippy::print_stdout, reason = "a program for people to watch")]

#[path = "../rotating_database.rs"]
mod rotating_database;

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use rotating_database::{Fault, RotatingDatabase};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use secrets_core::event::Step;
use secrets_pools::DbLogin;
use secrets_pools::deadpool_postgres::{Manager, Pool};
use tokio::net::TcpListener;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

/// `GET /`: who the service is at its database, and on which connection.
async fn whoami(State(pool): State<Pool<DbLogin>>) -> Result<String, (StatusCode, String)> {
    let unavailable = |fault: String| (StatusCode::SERVICE_UNAVAILABLE, fault);
    let client = pool
        .get()
        .await
        .map_err(|fault| unavailable(fault.to_string()))?;
    let row = client
        .query_one("SELECT current_user::text, pg_backend_pid()", &[])
        .await
        .map_err(|fault| unavailable(fault.to_string()))?;
    let (user, connection): (String, i32) = (row.get(0), row.get(1));
    Ok(format!(
        "{user}, version {}, connection {connection}",
        client.version_id()
    ))
}

#[tokio::main]
async fn main() -> Result<ExitCode, Fault> {
    let database = RotatingDatabase::start().await?;
    let pool = pool(&database).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let service = Router::new()
        .route("/", get(whoami))
        .with_state(pool.clone());
    tokio::spawn(async move { axum::serve(listener, service).await });

    let client = client()?;
    let (mut answered, mut failed) = (0, 0);
    for version in 1..=3 {
        println!("rotation {version}");
        let after = async |step: Step| {
            // As after a restart of the database: the requests that follow have to log in.
            pool.retain(|_, _| false);
            let mut last = String::new();
            for _ in 0..20 {
                let answer = client.get(&url).send().await?;
                if answer.status() == StatusCode::OK.as_u16() {
                    answered += 1;
                } else {
                    failed += 1;
                }
                last = answer.text().await?;
            }
            println!("{:<14} {last}", step.to_string());
            if step == Step::Finish && !last.contains(&format!("version v{version},")) {
                return Err("the service does not use the version that was published".into());
            }
            Ok(())
        };
        database.rotate(&format!("v{version}"), after).await?;
    }
    println!("\n{answered} requests answered, {failed} failed");
    Ok(ExitCode::from(u8::from(failed > 0 || answered == 0)))
}

async fn pool(database: &RotatingDatabase) -> Result<Pool<DbLogin>, Fault> {
    let mut server = Config::new();
    server
        .host(database.server.host())
        .port(database.server.port())
        .dbname("postgres");
    let config = move |login: &DbLogin| {
        let mut config = server.clone();
        config
            .user(login.username())
            .password(login.expose_password());
        config
    };
    let manager = Manager::new(
        database.handle().await?,
        tls(&database.server.ca_pem())?,
        config,
    );
    Ok(Pool::builder(manager).max_size(4).build()?)
}

fn tls(ca_pem: &str) -> Result<MakeRustlsConnect, Fault> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes())?)?;
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Whoever calls the service. It never speaks TLS here, but is made with it.
fn client() -> Result<reqwest::Client, Fault> {
    let tls =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .build()?)
}
