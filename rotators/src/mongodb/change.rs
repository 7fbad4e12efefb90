//! The commands that change users. Everything in them is typed (BSON), so no name can become part of a command.

use std::collections::BTreeSet;
use std::time::Duration;

use bson::raw::{CStr, RawArrayBuf, RawDocumentBuf, cstr};
use bson::rawdoc;

use super::connection::Session;
use super::error::Failure;
use super::portrait::Portrait;

/// Room for what stands around the names and the password in a command.
const AROUND: usize = 512;

/// Makes a user like that one, with this password.
pub(super) async fn create(
    session: &mut Session,
    (name, database): (&str, &str),
    password: &str,
    model: &Portrait,
) -> Result<(), Failure> {
    let mut create = room(&[name, password]);
    create.append(cstr!("createUser"), name);
    create.append(cstr!("pwd"), password);
    create.append(cstr!("roles"), model.roles());
    if !model.custom_data.is_empty() {
        create.append(cstr!("customData"), &model.custom_data);
    }
    if model.is_restricted() {
        create.append(cstr!("authenticationRestrictions"), &model.restrictions);
    }
    append_mechanisms(&mut create, model.mechanisms.as_ref());
    finish(session, database, create).await
}

/// Brings all of a user but the password into line with the other one; what is equal is not touched.
pub(super) async fn align(
    session: &mut Session,
    (name, database): (&str, &str),
    own: &Portrait,
    model: &Portrait,
) -> Result<(), Failure> {
    let mut update = room(&[name]);
    update.append(cstr!("updateUser"), name);
    if own.roles != model.roles {
        update.append(cstr!("roles"), model.roles());
    }
    if own.custom_data != model.custom_data {
        update.append(cstr!("customData"), &model.custom_data);
    }
    if own.restrictions != model.restrictions {
        update.append(cstr!("authenticationRestrictions"), &model.restrictions);
    }
    finish(session, database, update).await
}

/// Sets the password. Without `mechanisms` a server would make hashes of all kinds that it knows, also of one
/// that the user does not have.
pub(super) async fn set_password(
    session: &mut Session,
    (name, database): (&str, &str),
    password: &str,
    mechanisms: Option<&BTreeSet<String>>,
) -> Result<(), Failure> {
    let mut update = room(&[name, password, database]);
    update.append(cstr!("updateUser"), name);
    update.append(cstr!("pwd"), password);
    append_mechanisms(&mut update, mechanisms);
    finish(session, database, update).await
}

fn append_mechanisms(command: &mut RawDocumentBuf, mechanisms: Option<&BTreeSet<String>>) {
    if let Some(mechanisms) = mechanisms {
        let names: RawArrayBuf = mechanisms.iter().map(String::as_str).collect();
        command.append(cstr!("mechanisms"), names);
    }
}

/// Waits until the majority has the change: what is not there is taken back when the primary changes.
async fn finish(
    session: &mut Session,
    database: &str,
    mut command: RawDocumentBuf,
) -> Result<(), Failure> {
    let patience = milliseconds(session.majority());
    let concern = rawdoc! {"w": "majority", "wtimeout": patience};
    let key: &CStr = cstr!("writeConcern");
    command.append(key, concern);
    session.run(database, command).await.map(drop)
}

fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1)
}

/// An empty document that need not grow: one that grows leaves a copy of what it held.
fn room(texts: &[&str]) -> RawDocumentBuf {
    let length: usize = texts.iter().map(|text| text.len()).sum();
    let mut bytes = Vec::with_capacity(AROUND + length);
    bytes.extend_from_slice(&[5, 0, 0, 0, 0]);
    RawDocumentBuf::from_bytes(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_a_password_does_not_grow() {
        let (name, password) = ("n".repeat(1000), "p".repeat(4096));
        let mut update = room(&[&name, &password, "admin"]);
        update.append(cstr!("updateUser"), name.as_str());
        update.append(cstr!("pwd"), password.as_str());
        let names = BTreeSet::from(["SCRAM-SHA-1".to_owned(), "SCRAM-SHA-256".to_owned()]);
        append_mechanisms(&mut update, Some(&names));
        let concern = rawdoc! {"w": "majority", "wtimeout": milliseconds(Duration::MAX)};
        update.append(cstr!("writeConcern"), concern);
        update.append(cstr!("$db"), "admin");
        assert_eq!(update.into_bytes().capacity(), AROUND + 1000 + 4096 + 5);
    }
}
