//! A client from the standard environment variables of AWS's SDKs.

use std::fmt;

use secrecy::SecretString;

use super::{Builder, SecretsClient};
use crate::store::aws::{AwsSettings, AwsStore};

/// Which environment variables are missing. It holds names, no values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingSettings(Vec<&'static str>);

impl fmt::Display for MissingSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.0.join("`, `");
        write!(
            f,
            "these environment variables are missing: `{missing}`; set them, or make a client of the SDK \
             with credentials of another kind and hand it to AwsStore::new"
        )
    }
}

impl std::error::Error for MissingSettings {}

impl AwsSettings {
    /// Reads `AWS_REGION` (or `AWS_DEFAULT_REGION`), `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`; where they
    /// are there, `AWS_SESSION_TOKEN` and `AWS_ENDPOINT_URL_SECRETS_MANAGER` (or `AWS_ENDPOINT_URL`). The
    /// names are those of the AWS SDKs and Tools Reference Guide. An empty one counts as missing.
    ///
    /// # Errors
    /// [`MissingSettings`] names all that are missing.
    pub fn from_env() -> Result<Self, MissingSettings> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// The same from another source than the environment of this process.
    ///
    /// # Errors
    /// As for [`from_env`](Self::from_env).
    ///
    /// ```
    /// use secrets_core::store::aws::AwsSettings;
    ///
    /// let missing = AwsSettings::from_lookup(|name| (name == "AWS_REGION").then(|| "eu-west-1".into()));
    /// assert_eq!(
    ///     missing.unwrap_err().to_string(),
    ///     "these environment variables are missing: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`; set them, \
    ///      or make a client of the SDK with credentials of another kind and hand it to AwsStore::new"
    /// );
    /// ```
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, MissingSettings> {
        let text = |name: &str| lookup(name).filter(|text| !text.is_empty());
        let mut missing = Vec::new();
        let mut required = |text: Option<String>, name| {
            text.unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let region = text("AWS_REGION").or_else(|| text("AWS_DEFAULT_REGION"));
        let settings = Self {
            region: required(region, "AWS_REGION"),
            access_key_id: required(text("AWS_ACCESS_KEY_ID"), "AWS_ACCESS_KEY_ID"),
            secret_access_key: required(text("AWS_SECRET_ACCESS_KEY"), "AWS_SECRET_ACCESS_KEY")
                .into(),
            session_token: text("AWS_SESSION_TOKEN").map(SecretString::from),
            endpoint: text("AWS_ENDPOINT_URL_SECRETS_MANAGER").or_else(|| text("AWS_ENDPOINT_URL")),
        };
        if missing.is_empty() {
            Ok(settings)
        } else {
            Err(MissingSettings(missing))
        }
    }
}

impl SecretsClient {
    /// A client over Secrets Manager, set up by the environment; see [`AwsSettings::from_env`]. It makes no
    /// call yet.
    ///
    /// The credentials are read once. That fits Lambda functions, whose environment lives no longer than
    /// its credentials. Where they come from instance metadata, containers or profiles, make a client of the
    /// SDK with `aws-config`, and hand it to [`AwsStore::new`].
    ///
    /// # Errors
    /// [`MissingSettings`] names all that are missing.
    pub fn from_env() -> Result<Self, MissingSettings> {
        Ok(Self::builder_from_env()?.build())
    }

    /// The same, to be set up further.
    ///
    /// # Errors
    /// The same.
    pub fn builder_from_env() -> Result<Builder<AwsStore>, MissingSettings> {
        let settings = AwsSettings::from_env()?;
        Ok(Self::builder(AwsStore::connect(&settings)))
    }
}
