//! `docs/pools.md`.

use secrets_core::client::SecretsClient;
use secrets_pools::DbLogin;
use secrets_pools::sqlx::RotatingPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

#[rustfmt::skip]
async fn page() -> Result<(), Box<dyn std::error::Error>> {
    let secrets = SecretsClient::builder_from_env()?.try_pending().build();
    let db = secrets.secret::<DbLogin>("app/db").await?;
    let server = PgConnectOptions::new().host("db.example").database("app");
    let pool = RotatingPool::connect_lazy(db, PgPoolOptions::new(), move |login: &DbLogin| {
        server.clone().username(login.username()).password(login.expose_password())
    })?;
    let mut connection = pool.acquire().await?;
    sqlx::query("SELECT 1").execute(&mut *connection).await?;
    Ok(())
}
