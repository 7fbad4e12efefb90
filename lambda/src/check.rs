//! The check: does the rotation of a secret stand as it should? Nothing is written for it.
//!
//! A schedule of `template.yaml` asks once a day, with the event `{"Check": "<ARN of the secret>"}`, so that what
//! would fail the next rotation is known before; a person may ask at any time (`aws lambda invoke`). After a
//! deployment the first testSecret is checked in the same way: it is how Secrets Manager tries a function.

use std::time::{Duration, SystemTime};

use secrets_core::event::SecretId;
use secrets_core::rotation::examine::{Examination, Finding, Weight};
use secrets_core::store::Label;
use serde_json::{Map, Value, json};

/// How long a rotation may be under way before that counts as stuck. Secrets Manager tries a step for less.
const UNDER_WAY: Duration = Duration::from_hours(1);

/// The secret to check, if the event asks for a check and for nothing else.
pub(crate) fn asked(payload: &str) -> Option<SecretId> {
    let event: Map<String, Value> = serde_json::from_str(payload).ok()?;
    match event.get("Check")?.as_str()? {
        "" => None,
        secret if event.len() == 1 => Some(SecretId::from(secret)),
        _ => None,
    }
}

/// What a check has found, in the numbers that alarms rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Whether somebody must act before a rotation can come to its end.
    pub(crate) stuck: bool,
    /// For how long the next rotation should have been over.
    pub(crate) overdue: Duration,
    /// How old the value of `AWSCURRENT` is.
    pub(crate) age: Option<Duration>,
}

impl Numbers {
    pub(crate) fn of(seen: &Examination, now: SystemTime) -> Self {
        let since = |at: SystemTime| now.duration_since(at).unwrap_or_default();
        let made = |label| seen.candidate(&label).and_then(|found| found.created);
        let under_way = made(Label::Pending).is_some_and(|at| since(at) < UNDER_WAY);
        let blocked = seen.findings.iter().any(|it| it.weight() == Weight::Blocks);
        let state = seen.state.as_ref();
        let due = state.filter(|state| state.rotation_enabled == Some(true));
        Self {
            stuck: blocked && !under_way,
            overdue: due
                .and_then(|it| it.next_rotation)
                .map(since)
                .unwrap_or_default(),
            age: made(Label::Current).map(since),
        }
    }
}

/// The answer to the one who asked: no values.
pub(crate) fn answer(seen: &Examination) -> Value {
    json!({
        "secret": seen.secret.as_str(),
        "needs_action": seen.needs_action(),
        "findings": findings(seen),
    })
}

/// Each finding with its cause and its remedy.
pub(crate) fn findings(seen: &Examination) -> Vec<Value> {
    seen.findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code(),
                "weight": finding.weight().as_str(),
                "advice": finding.advice().as_str(),
                "cause": finding.to_string(),
                "remedy": finding.remedy(),
            })
        })
        .collect()
}

/// What a check after a deployment has found that the next rotation would fail on, in one text; `None` where all
/// is well. The copy of the current value that such a trial is made with is none of it.
pub(crate) fn after_deployment(seen: &Examination) -> Option<String> {
    let faults: Vec<_> = seen
        .findings
        .iter()
        .filter(|finding| !matches!(finding, Finding::PendingIsCurrent(_)))
        .filter(|finding| finding.weight() != Weight::Note)
        .map(|finding| format!("{finding} ({})", finding.remedy()))
        .collect();
    (!faults.is_empty()).then(|| faults.join("; "))
}
