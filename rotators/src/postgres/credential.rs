//! What a secret says about a server and a role, checked once.

use std::fmt;

use secrets_core::document::{DocumentError, SecretDocument};

use super::error::DIALECT;
use crate::database::Family;
pub(super) use crate::database::{AdminCredential, Login};
use crate::postgres_wire::credential::{Credential, Names, Secrets};

/// The longest name of a role: `PostgreSQL` manual, "Identifiers and Key Words".
pub(super) const NAMES: Names = Names {
    longest_bytes: 63,
    expected: "at most 63 bytes long",
};

/// What is particular to the secrets of these servers.
pub(super) const FAMILY: Family = Family {
    engines: &["postgres", "aurora-postgresql"],
    expected: "postgres or aurora-postgresql",
    login: |secret| NAMES.login(secret),
};

const SECRETS: Secrets = Secrets {
    family: FAMILY,
    names: NAMES,
    port: 5432,
    database: "postgres",
    dialect: &DIALECT,
};

/// A role of a server, with its password and the way to reach it.
pub struct PostgresCredential(pub(super) Credential);

impl TryFrom<&SecretDocument> for PostgresCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Credential::of(secret, &SECRETS).map(Self)
    }
}

impl fmt::Debug for PostgresCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show("PostgresCredential", f)
    }
}

#[cfg(test)]
mod tests;
