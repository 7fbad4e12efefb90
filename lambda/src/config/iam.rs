//! Settings of rotations of access keys.

use std::time::Duration;

use rotators::iam::{IamSettings, ManagedBy, Retire, ServiceUrl};

use crate::environment::Environment;

/// What a rotation of access keys is told, besides the secret: `KEYS_MANAGED_BY`, `RETIRE_PREVIOUS_KEY`,
/// `PROPAGATION_SECONDS`, `IAM_ENDPOINT` and `STS_ENDPOINT`. The region and the credentials of the role are
/// those of Secrets Manager.
pub fn iam_key(env: &mut Environment) -> Option<IamSettings> {
    let aws = super::aws(env);
    let managers = [("role", ManagedBy::Role), ("user", ManagedBy::User)];
    let managed_by = env.choice("KEYS_MANAGED_BY", managers);
    let retirements = [
        ("next-rotation", Retire::NextRotation),
        ("after-promotion", Retire::AfterPromotion),
    ];
    let retire = env.choice("RETIRE_PREVIOUS_KEY", retirements);
    let propagation = env.number("PROPAGATION_SECONDS", 30, 1..=600);
    let iam_url = service_url(env, "IAM_ENDPOINT");
    let sts_url = service_url(env, "STS_ENDPOINT");

    let mut settings = IamSettings::new(aws);
    settings.managed_by = managed_by;
    settings.retire = retire;
    settings.propagation = Duration::from_secs(propagation);
    settings.iam_url = iam_url;
    settings.sts_url = sts_url;
    Some(settings)
}

/// The address of a service, where it is another than the region's own.
pub(super) fn service_url(env: &mut Environment, name: &str) -> Option<ServiceUrl> {
    let url = env.text(name)?;
    ServiceUrl::parse(&url)
        .map_err(|fault| env.fault(format!("`{name}` {fault}")))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::InvalidConfiguration;

    fn read(variables: &'static [(&str, &str)]) -> Result<IamSettings, InvalidConfiguration> {
        let mut env = Environment::from(|name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let settings = iam_key(&mut env);
        env.finish(settings)
    }

    #[test]
    fn the_role_manages_the_keys_and_old_ones_go_with_the_next_rotation() {
        let settings = read(&[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "ASIA"),
            ("AWS_SECRET_ACCESS_KEY", "sentinel"),
            ("IAM_ENDPOINT", ""),
        ])
        .expect("settings");
        assert_eq!(settings.aws.region, "eu-west-1");
        assert_eq!(settings.managed_by, ManagedBy::Role);
        assert_eq!(settings.retire, Retire::NextRotation);
        assert_eq!(settings.propagation, Duration::from_secs(30));
        assert_eq!(settings.iam_url, None);
        assert_eq!(settings.sts_url, None);
    }

    #[test]
    fn everything_can_be_set() {
        let settings = read(&[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "ASIA"),
            ("AWS_SECRET_ACCESS_KEY", "sentinel"),
            ("KEYS_MANAGED_BY", "user"),
            ("RETIRE_PREVIOUS_KEY", "after-promotion"),
            ("PROPAGATION_SECONDS", "60"),
            ("IAM_ENDPOINT", "https://iam.example"),
            ("STS_ENDPOINT", "https://sts.example"),
        ])
        .expect("settings");
        assert_eq!(settings.managed_by, ManagedBy::User);
        assert_eq!(settings.retire, Retire::AfterPromotion);
        assert_eq!(settings.propagation, Duration::from_mins(1));
        assert_eq!(
            settings.iam_url,
            ServiceUrl::parse("https://iam.example").ok()
        );
        assert_eq!(
            settings.sts_url,
            ServiceUrl::parse("https://sts.example").ok()
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_without_values() {
        let faults = read(&[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "ASIA"),
            ("KEYS_MANAGED_BY", "sentinel"),
            ("RETIRE_PREVIOUS_KEY", "sentinel"),
            ("PROPAGATION_SECONDS", "0"),
            ("IAM_ENDPOINT", "http://iam.example/sentinel"),
            ("STS_ENDPOINT", "sentinel"),
        ]);
        let url = "must be a URL that starts with https://, with a host and nothing else but a port and a path";
        assert_eq!(
            faults.expect_err("six faults").to_string(),
            format!(
                "`AWS_SECRET_ACCESS_KEY` is missing; `KEYS_MANAGED_BY` must be role or user; \
                 `RETIRE_PREVIOUS_KEY` must be next-rotation or after-promotion; \
                 `PROPAGATION_SECONDS` must be a whole number from 1 to 600; `IAM_ENDPOINT` {url}; \
                 `STS_ENDPOINT` {url}; correct the function's environment variables"
            )
        );
    }
}
