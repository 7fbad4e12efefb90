//! A whole configuration out of several secrets.

use std::collections::BTreeMap;

use super::error::ClientError;
use super::handle::FromSecret;
use super::{Secret, SecretsClient};
use crate::event::SecretId;

/// The secrets that a configuration is made of.
pub struct Loaded(BTreeMap<SecretId, Secret>);

impl Loaded {
    pub(super) fn of(secrets: BTreeMap<SecretId, Secret>) -> Self {
        Self(secrets)
    }

    /// The secret with this id, one of those that were asked for.
    ///
    /// # Errors
    /// [`ClientError::NotLoaded`] for any other.
    pub fn secret(&self, id: &str) -> Result<&Secret, ClientError> {
        let id = SecretId::from(id);
        let found = self.0.get(&id);
        found.ok_or(ClientError::NotLoaded { secret: id })
    }

    /// The same as a `T`.
    ///
    /// # Errors
    /// The same, and [`ClientError::Document`] where the value does not fit.
    pub fn get<T: FromSecret>(&self, id: &str) -> Result<T, ClientError> {
        T::try_from(self.secret(id)?).map_err(ClientError::unfit(&id.into()))
    }
}

impl SecretsClient {
    /// Reads several secrets, in one call where the store has one, and makes one thing of them.
    ///
    /// # Errors
    /// As for [`get`](Self::get), of any of them.
    ///
    /// ```
    /// use secrets_core::client::{ClientError, SecretsClient};
    /// use secrecy::SecretString;
    ///
    /// struct Config { password: SecretString, api_key: SecretString }
    ///
    /// # async fn run(secrets: SecretsClient) -> Result<(), ClientError> {
    /// let config = secrets.load(["app/db", "app/api-key"], |s| Ok(Config {
    ///     password: s.secret("app/db")?.text("password")?,
    ///     api_key: s.secret("app/api-key")?.plain_text()?.clone(),
    /// })).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn load<C, const N: usize>(
        &self,
        ids: [&str; N],
        make: impl FnOnce(&Loaded) -> Result<C, ClientError>,
    ) -> Result<C, ClientError> {
        self.prefetch(ids).await?;
        let mut secrets = BTreeMap::new();
        for id in ids {
            secrets.insert(SecretId::from(id), self.get_secret(id).await?);
        }
        make(&Loaded(secrets))
    }
}
