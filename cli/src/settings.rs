//! Settings: this process' environment before the function's, under the names of both.

use std::collections::BTreeMap;

use lambda::environment::{Environment, InvalidConfiguration};
use secrets_core::store::aws::{AwsSettings, AwsStore};

use crate::args::Common;
use crate::report::Failure;

/// The function's variables, from a file.
type FromFile = BTreeMap<String, String>;

const HINT: &str = "set them in the environment; with a profile or SSO: \
    eval \"$(aws configure export-credentials --format env)\"";

/// The settings of a rotator, read as the functions read theirs.
pub(crate) fn environment(common: &Common) -> Result<Environment, Failure> {
    let from_file = from_file(common)?;
    Ok(Environment::from(move |name: &str| {
        lookup(name, &from_file)
    }))
}

/// Secrets Manager, as the environment names it.
pub(crate) fn store(common: &Common) -> Result<AwsStore, Failure> {
    let mut env = environment(common)?;
    let settings: AwsSettings = lambda::config::aws(&mut env);
    let settings = env
        .finish(Some(settings))
        .map_err(|faults| Failure::settings(format!("{}; {HINT}", faults.faults().join("; "))))?;
    Ok(AwsStore::connect(&settings))
}

/// What is wrong with the settings of a rotator.
pub(crate) fn invalid(faults: &InvalidConfiguration) -> Failure {
    let faults = faults.faults().join("; ");
    Failure::settings(format!(
        "{faults}; set what the function has in its environment, or name a file with it (--settings)"
    ))
}

fn from_file(common: &Common) -> Result<FromFile, Failure> {
    let Some(path) = &common.settings else {
        return Ok(FromFile::new());
    };
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|fault| Failure::settings(format!("{shown} cannot be read: {}", fault.kind())))?;
    // Nothing of the parser's words: they quote values.
    serde_json::from_str(&text).map_err(|_| {
        Failure::settings(format!(
            "{shown} must be a JSON object whose values are strings"
        ))
    })
}

/// A variable of the functions, under the names that AWS's own tools have for it as well.
fn lookup(name: &str, from_file: &FromFile) -> Option<String> {
    let own = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let elsewhere: &[&str] = match name {
        "AWS_REGION" => &["AWS_DEFAULT_REGION"],
        "SECRETS_MANAGER_ENDPOINT" => &["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"],
        _ => &[],
    };
    own(name)
        .or_else(|| elsewhere.iter().find_map(|name| own(name)))
        .or_else(|| from_file.get(name).cloned())
}

/// What a function that is started here gets beside the environment of this process.
pub(crate) fn for_child(common: &Common) -> Result<BTreeMap<String, String>, Failure> {
    let from_file = from_file(common)?;
    let mut settings: FromFile = from_file
        .iter()
        .filter(|(name, _)| std::env::var_os(name).is_none())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for name in ["AWS_REGION", "SECRETS_MANAGER_ENDPOINT"] {
        if let Some(value) = lookup(name, &from_file) {
            settings.insert(name.to_owned(), value);
        }
    }
    Ok(settings)
}
