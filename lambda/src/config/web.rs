//! Rotators whose settings are one JSON object, in `CONFIGURATION`.

use rotators::api_key::ApiKeySettings;
use rotators::configuration::Faults;
use rotators::oauth::refresh_chain::RefreshSettings;
use rotators::oauth::registration::RegistrationSettings;
use rotators::oauth::tokens::TokenSettings;

use crate::environment::Environment;

/// What `rotate_oauth` rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuth {
    /// Tokens of which a provider makes many.
    Tokens,
    /// A chain of refresh tokens.
    RefreshChain,
    /// A client secret, through the provider's own interface.
    ClientSecret,
    /// The secret of a dynamically registered client (RFC 7592).
    Registration,
}

/// What is to rotate: `OAUTH_ROTATES`.
pub fn oauth(env: &mut Environment) -> OAuth {
    let words = [
        ("tokens", OAuth::Tokens),
        ("refresh-chain", OAuth::RefreshChain),
        ("client-secret", OAuth::ClientSecret),
        ("registration", OAuth::Registration),
    ];
    env.choice("OAUTH_ROTATES", words)
}

/// What a rotation of tokens is told: the object that `docs/oauth.md` describes. A word that
/// `OAUTH_ROTATES` does not know is told here, too.
pub fn tokens(env: &mut Environment) -> Option<TokenSettings> {
    oauth(env);
    configuration(env, TokenSettings::parse)
}

/// What a rotation of a chain of refresh tokens is told: the object that `docs/oauth.md` describes.
pub fn refresh_chain(env: &mut Environment) -> Option<RefreshSettings> {
    configuration(env, RefreshSettings::parse)
}

/// What a rotation of client secrets is told: the object that `docs/api-key.md` describes, with the
/// `credential` `client_secret`.
pub fn client_secret(env: &mut Environment) -> Option<ApiKeySettings> {
    let settings = configuration(env, ApiKeySettings::parse)?;
    if settings.credential() != "client_secret" {
        env.fault("in `CONFIGURATION` `credential` must be client_secret");
    }
    Some(settings)
}

/// What a rotation of a registered client's secret is told: the object that `docs/oauth.md` describes.
pub fn registration(env: &mut Environment) -> Option<RegistrationSettings> {
    configuration(env, RegistrationSettings::parse)
}

/// What a rotation of API keys or client secrets is told: the object that `docs/api-key.md` describes.
pub fn api_key(env: &mut Environment) -> Option<ApiKeySettings> {
    configuration(env, ApiKeySettings::parse)
}

fn configuration<T>(
    env: &mut Environment,
    parse: impl FnOnce(&str) -> Result<T, Faults>,
) -> Option<T> {
    let text = env.required("CONFIGURATION");
    if text.is_empty() {
        return None;
    }
    parse(&text)
        .map_err(|faults| {
            for fault in faults.into_inner() {
                env.fault(format!("in `CONFIGURATION` {fault}"));
            }
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: Option<&'static str>) -> String {
        faults_of(text, api_key)
    }

    fn faults_of<T>(
        text: Option<&'static str>,
        read: impl FnOnce(&mut Environment) -> Option<T>,
    ) -> String {
        let mut env = Environment::from(move |name: &str| {
            text.filter(|_| name == "CONFIGURATION").map(str::to_owned)
        });
        let settings = read(&mut env);
        let faults = env.finish(settings).map(drop);
        faults.expect_err("faults").to_string()
    }

    #[test]
    fn a_word_that_nobody_knows_is_told() {
        let mut env = Environment::from(|name: &str| {
            (name == "OAUTH_ROTATES").then(|| "sentinel".to_owned())
        });
        assert_eq!(oauth(&mut env), OAuth::Tokens);
        let settings = tokens(&mut env);
        let faults = env
            .finish(settings.map(drop))
            .expect_err("faults")
            .to_string();
        let words =
            "`OAUTH_ROTATES` must be tokens or refresh-chain or client-secret or registration";
        assert!(faults.contains(words), "{faults}");
        assert!(faults.contains("`CONFIGURATION` is missing"), "{faults}");
    }

    #[test]
    fn a_client_secret_is_no_api_key() {
        let text = r#"{
            "set": {"url": "https://api.example.com/key", "json": {"key": "{pending.api_key}"}},
            "test": {"url": "https://api.example.com/me",
                     "headers": {"Authorization": "Bearer {candidate.api_key}"}}
        }"#;
        let mut env =
            Environment::from(move |name: &str| (name == "CONFIGURATION").then(|| text.to_owned()));
        assert!(api_key(&mut env).is_some());
        let shown = faults_of(Some(text), client_secret);
        assert!(
            shown.contains("in `CONFIGURATION` `credential` must be client_secret"),
            "{shown}"
        );
    }

    #[test]
    fn each_kind_of_rotation_has_a_reader_of_its_own() {
        for (shown, field) in [
            (faults_of(Some("{}"), tokens), "`token_url` is missing"),
            (
                faults_of(Some("{}"), refresh_chain),
                "`token_url` is missing",
            ),
            (
                faults_of(Some("{}"), client_secret),
                "`create` or `set` or `rotate`",
            ),
            (
                faults_of(Some("{}"), registration),
                "`allowed_hosts` is missing",
            ),
        ] {
            assert!(shown.contains(field), "{field}: {shown}");
        }
    }

    #[test]
    fn each_fault_is_told_and_no_value() {
        let end = "correct the function's environment variables";
        assert_eq!(faults(None), format!("`CONFIGURATION` is missing; {end}"));
        assert_eq!(
            faults(Some("sentinel")),
            format!("in `CONFIGURATION` it must be a JSON object; {end}")
        );
        let shown = faults(Some(
            r#"{"set": {"url": "http://sentinel.example"}, "sentinel_of_a_name": 1, "test": {}}"#,
        ));
        for fault in [
            "in `CONFIGURATION` `set.url` must be a URL that starts with https://",
            "in `CONFIGURATION` `test.url` is missing",
        ] {
            assert!(shown.contains(fault), "{shown}");
        }
        assert!(!shown.contains("sentinel.example"), "{shown}");
    }
}
