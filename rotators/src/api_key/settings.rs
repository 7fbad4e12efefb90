//! The configuration, read once.

use std::fmt;
use std::time::Duration;

use secrets_core::rotator::{Live, Overlap, Profile, Repeat, Rotates};

use super::chosen::Chosen;
use super::in_place::InPlace;
use super::request::Request;
use super::slots::Slots;
use super::test::Test;
use crate::configuration::{self, Faults, Fields};
use crate::oauth::token_client::{Grant, TokenClient, TokenEndpoint};
use crate::propagation::Propagation;
use crate::web::Expectation;

/// What the keys of the secret are called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) value: &'static str,
    pub(super) id: &'static str,
    pub(super) previous: &'static str,
    /// All three; and the first alone.
    all: &'static [&'static str],
    pub(super) one: &'static [&'static str],
}

const API_KEY: Names = Names {
    value: "api_key",
    id: "key_id",
    previous: "previous_key_id",
    all: &["api_key", "key_id", "previous_key_id"],
    one: &["api_key"],
};

const CLIENT_SECRET: Names = Names {
    value: "client_secret",
    id: "secret_id",
    previous: "previous_secret_id",
    all: &["client_secret", "secret_id", "previous_secret_id"],
    one: &["client_secret"],
};

/// The settings of [`ApiKey`](super::ApiKey): a provider's manners.
///
/// ```
/// use rotators::api_key::ApiKeySettings;
///
/// let settings = ApiKeySettings::parse(
///     r#"{
///         "set": {
///             "method": "PUT",
///             "url": "https://api.example.com/v1/key",
///             "headers": {"Authorization": "Bearer {current.api_key}"},
///             "json": {"value": "{pending.api_key}"}
///         },
///         "test": {
///             "url": "https://api.example.com/v1/me",
///             "headers": {"Authorization": "Bearer {candidate.api_key}"}
///         }
///     }"#,
/// );
/// assert!(settings.is_ok());
/// let faults = ApiKeySettings::parse(r#"{"test": {}}"#).unwrap_err();
/// assert!(faults.to_string().contains("`test.url` is missing"));
/// ```
#[derive(Clone)]
pub struct ApiKeySettings {
    pub(super) names: Names,
    pub(super) way: Way,
    pub(super) test: Test,
    pub(super) management: Option<Management>,
    /// For one request with its whole answer.
    pub(super) timeout: Duration,
    /// How long a new value may take to be known everywhere at the provider.
    pub(super) propagation: Propagation,
}

/// How a new value comes to be.
#[derive(Clone)]
pub(super) enum Way {
    Slots(Box<Slots>),
    Chosen(Box<Chosen>),
    InPlace(Box<InPlace>),
}

/// How the token for `{management_token}` is had.
#[derive(Clone)]
pub(super) struct Management {
    pub(super) tokens: TokenClient,
    /// The client is that of the administrator's secret, and not of the one that rotates.
    pub(super) of_admin: bool,
}

impl ApiKeySettings {
    /// Reads a configuration.
    ///
    /// # Errors
    /// All faults, each with the name of its field.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        configuration::read(text, Self::read)
    }

    /// What rotates: `api_key` or `client_secret`, which is also its key in the secret.
    pub fn credential(&self) -> &'static str {
        self.names.value
    }

    fn read(fields: &mut Fields) -> Option<Self> {
        let names = fields.choice(
            "credential",
            [("api_key", API_KEY), ("client_secret", CLIENT_SECRET)],
        );
        let timeout = Duration::from_secs(fields.number("timeout_seconds", 10, 1..=60));
        let propagation = Propagation::read(fields);
        let given = ["create", "set", "rotate"].map(|way| fields.has(way));
        let way = match given {
            [true, false, false] => Slots::read(fields, names).map(|way| Way::Slots(way.into())),
            [false, true, false] => Chosen::read(fields, names).map(|way| Way::Chosen(way.into())),
            [false, false, true] => {
                InPlace::read(fields, names).map(|way| Way::InPlace(way.into()))
            }
            _ => {
                fields.fault(
                    "create",
                    "or `set` or `rotate` must be there, and only one of them",
                );
                // They are told once, and not again as unknown.
                for name in [
                    "create", "set", "rotate", "list", "delete", "read", "generate",
                ] {
                    fields.value(name);
                }
                None
            }
        };
        if let Some(Way::Chosen(chosen)) = &way
            && chosen.keeps_previous
            && !propagation.0.is_zero()
        {
            // A new value that is not known yet would be set again, and take the place of the one that is kept.
            fields.fault(
                "propagation_seconds",
                "and `keeps_previous` exclude each other",
            );
        }
        let management = fields.object("management_token", Management::read);
        let test = fields.required_object("test", |test| Test::read(test, names));
        let (way, test) = (way?, test?);
        let mut requests = way.requests();
        requests.extend(test.request());
        if management.is_none() && requests.into_iter().any(Request::needs_management_token) {
            fields.fault(
                "management_token",
                "is missing, and a request is to be filled with one",
            );
        }
        Some(Self {
            names,
            way,
            test,
            management,
            timeout,
            propagation,
        })
    }

    pub(super) fn profile(&self) -> Profile {
        let (all, one) = (Rotates::Keys(self.names.all), Rotates::Keys(self.names.one));
        match &self.way {
            Way::Slots(slots) => slots.profile(all),
            Way::Chosen(chosen) if chosen.keeps_previous => {
                Profile::new(one, Overlap::UntilNextRotation).holding(Live { rest: 2, peak: 2 })
            }
            Way::Chosen(_) => Profile::new(one, Overlap::ReplaceInPlace),
            // What one invocation makes, another would make useless.
            Way::InPlace(in_place) => {
                Profile::new(one, Overlap::MintedInPlace).repeating(match in_place.read {
                    Some(_) => Repeat::Told,
                    None => Repeat::Never,
                })
            }
        }
    }
}

impl Way {
    fn requests(&self) -> Vec<&Request> {
        match self {
            Self::Slots(slots) => [&slots.create]
                .into_iter()
                .chain(slots.list.as_ref().map(|list| &list.request))
                .chain(slots.delete.as_ref().map(|delete| &delete.request))
                .collect(),
            Self::Chosen(chosen) => vec![&chosen.set],
            Self::InPlace(in_place) => [&in_place.rotate]
                .into_iter()
                .chain(in_place.read.as_ref().map(|read| &read.request))
                .collect(),
        }
    }
}

impl Management {
    fn read(fields: &mut Fields) -> Option<Self> {
        let of_admin = fields.choice("client", [("admin", true), ("current", false)]);
        let grants = [
            ("client_credentials", Grant::ClientCredentials),
            ("jwt_bearer", Grant::JwtBearer),
        ];
        let tokens = TokenClient::new(TokenEndpoint::read(fields, grants)?);
        Some(Self { tokens, of_admin })
    }
}

pub(super) fn success(fields: &mut Fields) -> Expectation {
    expectation(fields, "success")
}

pub(super) fn expectation(fields: &mut Fields, name: &str) -> Expectation {
    let read = fields.object(name, |fields| Some(Expectation::read(fields)));
    read.unwrap_or_default()
}

/// A list of statuses of refusals.
pub(super) fn statuses(fields: &mut Fields, name: &str, usual: &[u16]) -> Vec<u16> {
    let Some(value) = fields.value(name) else {
        return usual.to_vec();
    };
    let codes: Option<Vec<u16>> = value.as_array().and_then(|codes| {
        let code = |code: &serde_json::Value| u16::try_from(code.as_u64()?).ok();
        codes.iter().map(code).collect()
    });
    codes
        .filter(|codes| codes.iter().all(|code| (400..=499).contains(code)))
        .unwrap_or_else(|| {
            fields.fault(name, "must be a list of HTTP status codes, 400 to 499");
            usual.to_vec()
        })
}

/// What stands in a configuration may be misplaced: only the way is shown.
impl fmt::Debug for ApiKeySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::Slots(_) => "create",
            Way::Chosen(_) => "set",
            Way::InPlace(_) => "rotate",
        };
        f.debug_struct("ApiKeySettings")
            .field("way", &way)
            .field("rotates", &self.names.value)
            .finish_non_exhaustive()
    }
}
