//! `status`: labels, versions and dates. It asks no target, and shows no value.

use std::time::{Duration, SystemTime};

use secrets_core::event::SecretId;
use secrets_core::rotation::{Reason, with_causes};
use secrets_core::store::aws::AwsStore;
use secrets_core::store::{
    Label, SecretReader, SecretState, SecretStore, StoreError, StoreErrorKind, Version,
};
use serde_json::{Value, json};

use crate::args::{Common, Status};
use crate::output::{BAD, FAINT, GOOD, MIND, Output, STRONG, styled};
use crate::report::{Exit, Failure, Report};
use crate::settings;
use crate::target::pending;
use crate::words::{state_json, unix, when};

/// Longer than any function may run.
const UNDER_WAY: Duration = Duration::from_mins(15);

/// What the labels tell of a rotation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    AtRest,
    UnderWay,
    Stuck,
    Empty,
    Off,
    NoCurrent,
    Deleted,
}

/// A labelled version, as it is shown.
struct Line {
    label: Label,
    version: String,
    /// When it was made; nothing where it has no value.
    made: Option<SystemTime>,
    value: &'static str,
}

pub(crate) async fn run(args: &Status, common: &Common, output: Output) -> Result<Report, Failure> {
    let store = settings::store(common)?;
    let (mut secrets, mut exit) = (Vec::new(), Exit::Fine);
    for name in &args.secrets {
        let secret = SecretId::from(name.clone());
        match store.describe(&secret).await {
            Ok(state) => {
                let lines = lines(&store, &secret, &state).await;
                let standing = standing(&state, &lines);
                if standing.needs_attention() && exit == Exit::Fine {
                    exit = Exit::Attention;
                }
                show(output, &secret, &state, &lines, standing);
                secrets.push(to_json(&secret, &state, &lines, standing));
            }
            Err(fault) => {
                exit = Exit::Failed;
                let reason = Reason::from(fault);
                output.remark(format_args!(
                    "{}: {}",
                    styled(BAD, name),
                    with_causes(&reason)
                ));
                secrets.push(json!({
                    "secret": name,
                    "error": {"code": reason.code(), "message": with_causes(&reason), "advice": reason.advice().as_str()},
                }));
            }
        }
    }
    let json = json!({"secrets": secrets});
    Ok(Report { json, exit })
}

/// The versions under the service's labels, with what reading them tells of their age.
async fn lines(store: &AwsStore, secret: &SecretId, state: &SecretState) -> Vec<Line> {
    let mut lines = Vec::new();
    for label in [Label::Current, Label::Pending, Label::Previous] {
        let Some(version) = state.holder(&label) else {
            continue;
        };
        let read = if state.deleted {
            None
        } else {
            let exactly = Version::Exactly(version.clone(), label.clone());
            Some(store.get(secret, &exactly).await)
        };
        let (made, value) = match read {
            None => (None, "unknown"),
            Some(Ok(value)) => (value.created, "present"),
            Some(Err(StoreError { kind, .. })) => match kind {
                StoreErrorKind::NotFound | StoreErrorKind::Invalid => (None, "empty"),
                _ => (None, "unreadable"),
            },
        };
        let version = version.as_str().to_owned();
        lines.push(Line {
            label,
            version,
            made,
            value,
        });
    }
    lines
}

fn standing(state: &SecretState, lines: &[Line]) -> Standing {
    let waiting = lines.iter().find(|it| it.label == Label::Pending);
    if state.deleted {
        return Standing::Deleted;
    }
    if state.holder(&Label::Current).is_none() {
        return Standing::NoCurrent;
    }
    match (pending(state), waiting) {
        (None, _) if state.rotation_enabled == Some(false) => Standing::Off,
        (None, _) | (_, None) => Standing::AtRest,
        (Some(_), Some(line)) if line.value == "empty" => Standing::Empty,
        (Some(_), Some(line)) => {
            let age = line.made.map(|made| made.elapsed().unwrap_or_default());
            match age {
                Some(age) if age < UNDER_WAY => Standing::UnderWay,
                _ => Standing::Stuck,
            }
        }
    }
}

impl Standing {
    fn as_str(self) -> &'static str {
        match self {
            Self::AtRest => "at_rest",
            Self::UnderWay => "under_way",
            Self::Stuck => "stuck",
            Self::Empty => "pending_empty",
            Self::Off => "rotation_off",
            Self::NoCurrent => "no_current",
            Self::Deleted => "deleted",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::AtRest => "no rotation is under way",
            Self::UnderWay => "a rotation is under way, or has just got stuck: `doctor` tells",
            Self::Stuck => "a rotation is stuck: `doctor` says why",
            Self::Empty => {
                "a rotation has begun and made no value yet; unless it has just begun, `doctor` says why"
            }
            Self::Off => "rotation is switched off",
            Self::NoCurrent => "no version holds AWSCURRENT: applications read nothing",
            Self::Deleted => "scheduled for deletion",
        }
    }

    fn needs_attention(self) -> bool {
        !matches!(self, Self::AtRest | Self::UnderWay)
    }
}

fn show(
    output: Output,
    secret: &SecretId,
    state: &SecretState,
    lines: &[Line],
    standing: Standing,
) {
    let style = match standing {
        Standing::AtRest => GOOD,
        Standing::UnderWay | Standing::Empty | Standing::Off => MIND,
        _ => BAD,
    };
    output.line(format_args!(
        "{}  {}",
        styled(STRONG, secret),
        styled(style, standing.text())
    ));
    let enabled = match state.rotation_enabled {
        Some(true) => "on",
        Some(false) => "off",
        None => "never configured",
    };
    let by = match state.rotated_by.as_deref() {
        Some(function) => format!(", by {function}"),
        None => String::new(),
    };
    output.line(format_args!("  rotation {enabled}{by}"));
    if let Some(last) = state.last_rotated {
        output.line(format_args!("  last rotated {}", when(Some(last))));
    }
    if let Some(next) = state.next_rotation {
        output.line(format_args!("  next rotation due {}", when(Some(next))));
    }
    for line in lines {
        let made = match line.value {
            "present" => format!("made {}", when(line.made)),
            other => other.to_owned(),
        };
        let label = line.label.as_str();
        output.line(format_args!(
            "  {label:<12} {}  {}",
            line.version,
            styled(FAINT, made)
        ));
    }
}

fn to_json(secret: &SecretId, state: &SecretState, lines: &[Line], standing: Standing) -> Value {
    let versions: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({
                "label": line.label.as_str(), "version": line.version, "created": unix(line.made),
                "value": line.value,
            })
        })
        .collect();
    json!({
        "secret": secret.as_str(), "standing": standing.as_str(), "state": state_json(state),
        "versions": versions,
    })
}
