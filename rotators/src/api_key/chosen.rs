//! A value that we choose, in the place of the one that there is.

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::Patch;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;

use super::places::{Scope, Source, Values};
use super::request::{Request, Title};
use super::settings::{Names, statuses, success};
use super::{ApiKey, ApiKeyCredential};
use crate::configuration::Fields;
use crate::password::{PasswordPolicy, PasswordRules};
use crate::web::Expectation;

/// We choose the value of the one credential.
#[derive(Clone)]
pub(super) struct Chosen {
    pub(super) set: Request,
    pub(super) success: Expectation,
    /// Statuses that mean: this value is against the rules, and nothing was changed.
    pub(super) refused: Vec<u16>,
    pub(super) prefix: String,
    pub(super) policy: PasswordPolicy,
    pub(super) keeps_previous: bool,
}

impl Chosen {
    pub(super) fn read(fields: &mut Fields, names: Names) -> Option<Self> {
        let keeps_previous = fields.flag("keeps_previous", false);
        let set = fields.required_object("set", |set| {
            let scope = Scope {
                sources: &[
                    Source::Current,
                    Source::Pending,
                    Source::Admin,
                    Source::Version,
                ],
                id: names.id,
                gone: &[],
            };
            let title = Title {
                name: "set",
                role: "the URL of `set`",
                method: "PUT",
            };
            let request = Request::read(set, &title, &scope);
            let wanted = format!("pending.{}", names.value);
            if request
                .as_ref()
                .is_some_and(|set| !set.places().contains(&wanted.as_str()))
            {
                set.fault(
                    "url",
                    format_args!("or headers or body must hold {{{wanted}}}"),
                );
            }
            let success = success(set);
            let refused = statuses(set, "refused_value", &[]);
            Some((request?, success, refused))
        });
        let generated = if fields.has("generate") {
            fields.object("generate", generate)
        } else {
            let usual = PasswordPolicy::new(&usual_rules()).ok();
            usual.map(|policy| (String::new(), policy))
        };
        let (set, success, refused) = set?;
        let (prefix, policy) = generated?;
        Some(Self {
            set,
            success,
            refused,
            prefix,
            policy,
            keeps_previous,
        })
    }
}

/// Letters and digits: a key goes into headers and URLs.
fn usual_rules() -> PasswordRules {
    PasswordRules {
        exclude_characters: String::new(),
        length: 40,
        exclude_punctuation: true,
        ..PasswordRules::default()
    }
}

fn generate(fields: &mut Fields) -> Option<(String, PasswordPolicy)> {
    let usual = usual_rules();
    let prefix = fields.text("prefix").unwrap_or_default();
    if !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
        fields.fault("prefix", "must be visible ASCII characters");
    }
    let length = fields.number("length", 40, 16..=4096);
    let rules = PasswordRules {
        exclude_characters: fields.text("exclude_characters").unwrap_or_default(),
        length: usize::try_from(length).unwrap_or(usual.length),
        exclude_numbers: fields.flag("exclude_numbers", usual.exclude_numbers),
        exclude_punctuation: fields.flag("exclude_punctuation", usual.exclude_punctuation),
        exclude_uppercase: fields.flag("exclude_uppercase", usual.exclude_uppercase),
        exclude_lowercase: fields.flag("exclude_lowercase", usual.exclude_lowercase),
        require_each_included_type: fields.flag("require_each_included_type", true),
    };
    match PasswordPolicy::new(&rules) {
        Ok(policy) => Some((prefix, policy)),
        Err(faults) => {
            fields.fault(
                "length",
                format_args!("and what is excluded do not fit: {faults}"),
            );
            None
        }
    }
}

impl<R: SecretReader> ApiKey<R> {
    /// A value by our own rules.
    pub(super) fn choose(&self, chosen: &Chosen) -> Result<Patch, RotatorError> {
        let generated = chosen.policy.generate()?;
        let value = Zeroizing::new([&chosen.prefix, generated.expose_secret()].concat());
        Ok(Patch::key(
            self.settings.names.value,
            SecretString::from(value.as_str()),
        ))
    }

    /// Puts the value in the place of the present one.
    pub(super) async fn replace(
        &self,
        chosen: &Chosen,
        login: &ApiKeyCredential,
        pending: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        // Set a second time, it would take the place of the one that is kept.
        let key = self.settings.names.value;
        if pending
            .text(key)
            .is_some_and(|value| login.has(key, &value))
        {
            return Ok(());
        }
        let values = Values {
            current: Some(login),
            pending: Some(pending),
            ..Values::default()
        };
        let reply = self.send(&chosen.set, values, cx).await?;
        if chosen.refused.contains(&reply.status.as_u16()) {
            let peer = chosen.set.peer();
            return Err(RotatorError::rejected_by_target(format!(
                "{peer} refuses the new value by its own rules; correct `generate` of the configuration"
            ))
            .with_code(reply.status.as_str()));
        }
        if !chosen.success.is_met(&reply) {
            return Err(chosen.set.refusal(&reply));
        }
        if self.settings.propagation.0.is_zero() {
            return Ok(());
        }
        if self.propagates(pending, cx).await? {
            return Ok(());
        }
        Err(RotatorError::unreachable(
            "the provider took the new value and does not know it yet; try again, and if it persists give it \
             more `propagation_seconds`",
        ))
    }
}
