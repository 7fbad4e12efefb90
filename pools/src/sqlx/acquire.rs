//! The trait of sqlx for whatever gives a connection.

use std::pin::Pin;

use ::sqlx::pool::PoolConnection;
use ::sqlx::{Acquire, Database, Error, Transaction};
use secrets_core::client::{ConnectError, FromSecret};

use super::RotatingPool;

type Acquiring<'a, C> = Pin<Box<dyn Future<Output = Result<C, Error>> + Send + 'a>>;

/// The same as the methods of that name, with the errors of sqlx: what is wrong with the secret is an
/// `Error::Configuration`, and why nothing else was tried is not told.
impl<'a, DB: Database, T: FromSecret> Acquire<'a> for &RotatingPool<DB, T> {
    type Database = DB;
    type Connection = PoolConnection<DB>;

    fn acquire(self) -> Acquiring<'a, PoolConnection<DB>> {
        let pool = self.clone();
        Box::pin(async move { pool.acquire().await.map_err(as_sqlx) })
    }

    fn begin(self) -> Acquiring<'a, Transaction<'a, DB>> {
        let pool = self.clone();
        Box::pin(async move { pool.begin().await.map_err(as_sqlx) })
    }
}

fn as_sqlx(fault: ConnectError<Error>) -> Error {
    match fault {
        ConnectError::Secret(fault) => Error::Configuration(Box::new(fault)),
        ConnectError::Target(fault) | ConnectError::Refused { last: fault, .. } => fault,
    }
}
