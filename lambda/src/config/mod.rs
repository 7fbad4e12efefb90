//! What the environment variables mean. Names and defaults are those of AWS's own rotation functions
//! where they have one.

mod iam;
mod ldap;
mod mongodb;
mod mysql;
mod pair;
mod rabbitmq;
mod rds;
mod redis;
mod redshift;
mod sqlserver;
mod web;

use std::time::Duration;

use rotators::oauth::bearer::{ApiKeys, BearerSettings, Invalidation};
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::postgres::{self, CaCertificates, PasswordForm, PostgresSettings};
use rotators::web::Endpoint;
use secrets_core::store::aws::AwsSettings;

pub use self::ldap::ldap;
pub use self::mongodb::mongodb;
pub use self::mysql::{mysql, old_password};
pub use self::pair::{postgres_pair, suffix_pair};
pub use self::rabbitmq::{rabbitmq, rabbitmq_strategy};
pub use self::redis::redis;
pub use self::redshift::redshift;
pub use self::sqlserver::sqlserver;
use crate::environment::Environment;

pub use iam::iam_key;
pub use rds::{admin_servers, mysql_with_admins, postgres_with_admins, sqlserver_with_admins};
pub use web::{OAuth, api_key, client_secret, oauth, refresh_chain, registration, tokens};

/// Where Secrets Manager is, and the credentials of the function's role.
///
/// Lambda sets region and credentials; `SECRETS_MANAGER_ENDPOINT` is the address of a VPC endpoint, and
/// optional.
pub fn aws(env: &mut Environment) -> AwsSettings {
    let endpoint = env.text("SECRETS_MANAGER_ENDPOINT");
    if endpoint
        .as_ref()
        .is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://"))
    {
        env.fault("`SECRETS_MANAGER_ENDPOINT` must be a URL that starts with https://");
    }
    AwsSettings {
        region: env.required("AWS_REGION"),
        access_key_id: env.required("AWS_ACCESS_KEY_ID"),
        secret_access_key: env.required("AWS_SECRET_ACCESS_KEY").into(),
        session_token: env.text("AWS_SESSION_TOKEN").map(Into::into),
        endpoint,
    }
}

/// `MIN_OVERLAP_SECONDS`: refuses a rotation while the current version is younger; 0 or absent: warns.
pub fn min_overlap(env: &mut Environment) -> Option<Duration> {
    match env.number("MIN_OVERLAP_SECONDS", 0, 0..=31_536_000) {
        0 => None,
        seconds => Some(Duration::from_secs(seconds)),
    }
}

/// `METRICS`: whether lines of the log carry metrics (`emf`, which is the default) or do not (`off`).
pub fn metrics(env: &mut Environment) -> bool {
    env.choice("METRICS", [("emf", true), ("off", false)])
}

/// The seven settings of a generated password.
///
/// `excluded` stands where `EXCLUDE_CHARACTERS` is absent or empty.
pub fn password(env: &mut Environment, excluded: &str) -> Option<PasswordPolicy> {
    PasswordPolicy::new(&password_rules(env, excluded))
        .map_err(|faults| env.fault(faults.to_string()))
        .ok()
}

fn password_rules(env: &mut Environment, excluded: &str) -> PasswordRules {
    PasswordRules {
        exclude_characters: env
            .text("EXCLUDE_CHARACTERS")
            .unwrap_or_else(|| excluded.to_owned()),
        length: env.number("PASSWORD_LENGTH", 32, 1..=4096),
        exclude_numbers: env.flag("EXCLUDE_NUMBERS", false),
        exclude_punctuation: env.flag("EXCLUDE_PUNCTUATION", false),
        exclude_uppercase: env.flag("EXCLUDE_UPPERCASE", false),
        exclude_lowercase: env.flag("EXCLUDE_LOWERCASE", false),
        require_each_included_type: env.flag("REQUIRE_EACH_INCLUDED_TYPE", true),
    }
}

/// How many users a secret has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// One, whose password is replaced.
    SingleUser,
    /// Two that take turns.
    AlternatingUsers,
}

/// `STRATEGY`: `single_user`, which is the default, or `alternating_users`.
pub fn strategy(env: &mut Environment) -> Strategy {
    let strategies = [
        ("single_user", Strategy::SingleUser),
        ("alternating_users", Strategy::AlternatingUsers),
    ];
    env.choice("STRATEGY", strategies)
}

/// What a rotation of PostgreSQL passwords is told, besides the secret: the seven settings of a password,
/// `PASSWORD_FORM`, `PASSWORD_VALID_DAYS` and `CA_CERTIFICATE`.
pub fn postgres(env: &mut Environment) -> Option<PostgresSettings> {
    let password = password(env, postgres::EXCLUDED_CHARACTERS);
    let forms = [
        ("scram", PasswordForm::Scram),
        ("plain", PasswordForm::Plain),
    ];
    let password_form = env.choice("PASSWORD_FORM", forms);
    let password_valid_days = env.number("PASSWORD_VALID_DAYS", 90, 1..=36_500);
    let ca_certificate = ca_certificate(env);

    let mut settings = PostgresSettings::new(password?);
    settings.password_form = password_form;
    settings.password_valid_days = password_valid_days;
    settings.ca_certificate = ca_certificate;
    Some(settings)
}

/// What a rotation of bearer tokens is told, besides the secret: `TWITTER_OAUTH2_TOKEN_URL`,
/// `TWITTER_OAUTH2_INVALID_TOKEN_URL`, `TWITTER_SEARCH_URL`, `API_KEYS`, `INVALIDATION_AUTHENTICATION` and
/// `TEST_MEMBERS`.
pub fn bearer_token(env: &mut Environment) -> Option<BearerSettings> {
    let token_url = endpoint(env, "TWITTER_OAUTH2_TOKEN_URL");
    let invalidate_url = endpoint(env, "TWITTER_OAUTH2_INVALID_TOKEN_URL");
    let test_url = endpoint(env, "TWITTER_SEARCH_URL");
    let api_keys = env.choice("API_KEYS", [("one", ApiKeys::One), ("two", ApiKeys::Two)]);
    let authentications = [
        ("basic", Invalidation::Basic),
        ("oauth1", Invalidation::OwnerSignature),
    ];
    let invalidation = env.choice("INVALIDATION_AUTHENTICATION", authentications);
    let test_members = env.text("TEST_MEMBERS");

    let mut settings = BearerSettings::new(token_url?, invalidate_url?, test_url?);
    settings.api_keys = api_keys;
    settings.invalidation = invalidation;
    if let Some(members) = test_members {
        settings.test_members = members.split(',').map(|m| m.trim().to_owned()).collect();
    }
    Some(settings)
}

fn endpoint(env: &mut Environment, name: &str) -> Option<Endpoint> {
    let url = env.text(name).or_else(|| {
        env.fault(format!("`{name}` is missing"));
        None
    })?;
    Endpoint::parse(&url)
        .map_err(|fault| env.fault(format!("`{name}` {fault}")))
        .ok()
}

/// `CA_CERTIFICATE`: PEM text, or the path of a file with it, such as one of a layer.
fn ca_certificate(env: &mut Environment) -> Option<CaCertificates> {
    let text = env.text("CA_CERTIFICATE")?;
    let pem = if text.contains("-----BEGIN") {
        text
    } else if let Ok(pem) = std::fs::read_to_string(&text) {
        pem
    } else {
        env.fault("`CA_CERTIFICATE` must be PEM text or the path of a readable PEM file");
        return None;
    };
    let certificates = CaCertificates::from_pem(&pem).ok();
    if certificates.is_none() {
        env.fault("`CA_CERTIFICATE` must hold at least one PEM certificate, and nothing broken");
    }
    certificates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::InvalidConfiguration;

    fn read(variables: &'static [(&str, &str)]) -> Result<PostgresSettings, InvalidConfiguration> {
        let mut env = Environment::from(|name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let settings = postgres(&mut env);
        env.finish(settings)
    }

    #[test]
    fn absent_and_empty_variables_have_the_defaults_of_awss_functions() {
        let rules = PasswordRules {
            exclude_characters: ":/@\"'\\".to_owned(),
            ..PasswordRules::default()
        };
        let policy = PasswordPolicy::new(&rules).expect("rules");
        for variables in [
            &[][..],
            &[("EXCLUDE_CHARACTERS", ""), ("PASSWORD_LENGTH", "")],
        ] {
            let settings = read(variables).expect("settings");
            assert_eq!(settings.password, policy);
            assert_eq!(settings.password_form, PasswordForm::Scram);
            assert_eq!(settings.password_valid_days, 90);
            assert!(settings.ca_certificate.is_none());
        }
    }

    #[test]
    fn a_certificate_is_taken_as_text_or_as_a_path_and_checked() {
        for (value, good) in [
            ("/not/there.pem", false),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", false),
            (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), false),
            (
                concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../rotators/certs/rds-global-bundle.pem"
                ),
                true,
            ),
            (
                include_str!("../../../rotators/certs/rds-global-bundle.pem"),
                true,
            ),
        ] {
            let mut env = Environment::from(move |name: &str| {
                (name == "CA_CERTIFICATE").then(|| value.to_owned())
            });
            assert_eq!(ca_certificate(&mut env).is_some(), good);
            assert_eq!(env.finish(Some(())).is_ok(), good);
        }
    }

    fn read_bearer(
        variables: &'static [(&str, &str)],
    ) -> Result<BearerSettings, InvalidConfiguration> {
        let mut env = Environment::from(|name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let settings = bearer_token(&mut env);
        env.finish(settings)
    }

    #[test]
    fn a_bearer_token_needs_three_urls() {
        let settings = read_bearer(&[
            ("TWITTER_OAUTH2_TOKEN_URL", "https://api.x.com/oauth2/token"),
            (
                "TWITTER_OAUTH2_INVALID_TOKEN_URL",
                "https://api.x.com/oauth2/invalidate_token",
            ),
            (
                "TWITTER_SEARCH_URL",
                "https://api.x.com/2/tweets/search/recent?query=aws",
            ),
            ("API_KEYS", "two"),
            ("INVALIDATION_AUTHENTICATION", "oauth1"),
            ("TEST_MEMBERS", "data, meta"),
        ])
        .expect("settings");
        assert_eq!(settings.api_keys, ApiKeys::Two);
        assert_eq!(settings.invalidation, Invalidation::OwnerSignature);
        assert_eq!(settings.test_members, ["data", "meta"]);
    }

    #[test]
    fn all_that_is_wrong_with_a_bearer_token_is_told_at_once() {
        let faults = read_bearer(&[
            (
                "TWITTER_OAUTH2_INVALID_TOKEN_URL",
                "http://api.x.com/sentinel",
            ),
            ("TWITTER_SEARCH_URL", "sentinel"),
            ("API_KEYS", "three"),
            ("INVALIDATION_AUTHENTICATION", "sentinel"),
        ]);
        let url = "must be a URL that starts with https://, without a user name, a password and a fragment";
        assert_eq!(
            faults.expect_err("five faults").to_string(),
            format!(
                "`TWITTER_OAUTH2_TOKEN_URL` is missing; `TWITTER_OAUTH2_INVALID_TOKEN_URL` {url}; \
                 `TWITTER_SEARCH_URL` {url}; `API_KEYS` must be one or two; \
                 `INVALIDATION_AUTHENTICATION` must be basic or oauth1; correct the function's environment \
                 variables"
            )
        );
    }
}
