//! Rotators whose settings are one JSON object, in `CONFIGURATION`.

use rotators::api_key::ApiKeySettings;
use rotators::configuration::Faults;

use crate::environment::Environment;

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
        let mut env = Environment::from(move |name: &str| {
            text.filter(|_| name == "CONFIGURATION").map(str::to_owned)
        });
        let settings = api_key(&mut env);
        env.finish(settings).expect_err("faults").to_string()
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
