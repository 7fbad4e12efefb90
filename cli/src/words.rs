//! What is known of a secret, in words and in JSON.

use std::time::{Duration, SystemTime};

use secrets_core::rotation::examine::{Candidate, Examination, Finding, Standing, Weight};
use secrets_core::rotation::with_causes;
use secrets_core::store::{Label, SecretState};
use serde_json::{Value, json};

use crate::output::{BAD, FAINT, GOOD, MIND, Output, STRONG, styled};

/// Seconds since 1970, or null.
pub(crate) fn unix(at: Option<SystemTime>) -> Value {
    let since = at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.map_or(Value::Null, |since| since.as_secs().into())
}

/// `3 d 4 h`, `12 min`, `5 s`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// `12 min ago`, `in 3 d 4 h`, or that it is not known.
pub(crate) fn when(at: Option<SystemTime>) -> String {
    let Some(at) = at else {
        return "at an unknown time".to_owned();
    };
    match SystemTime::now().duration_since(at) {
        Ok(age) => format!("{} ago", span(age)),
        Err(ahead) => format!("in {}", span(ahead.duration())),
    }
}

/// Labels and dates for machines.
pub(crate) fn state_json(state: &SecretState) -> Value {
    let versions: serde_json::Map<String, Value> = state
        .versions
        .iter()
        .map(|(version, labels)| {
            let labels: Vec<_> = labels.iter().map(Label::as_str).collect();
            (version.as_str().to_owned(), labels.into())
        })
        .collect();
    json!({
        "rotation_enabled": state.rotation_enabled,
        "rotation_function": state.rotated_by,
        "deleted": state.deleted,
        "last_rotated": unix(state.last_rotated),
        "next_rotation": unix(state.next_rotation),
        "labels": versions,
    })
}

/// An examination for machines.
pub(crate) fn examination_json(seen: &Examination) -> Value {
    let candidates: Vec<_> = seen.candidates.iter().map(candidate_json).collect();
    let findings: Vec<_> = seen
        .findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code(), "weight": finding.weight().as_str(),
                "cause": finding.to_string(), "remedy": finding.remedy(),
                "advice": finding.advice().as_str(), "repair": finding.repair(seen).as_str(),
            })
        })
        .collect();
    json!({
        "secret": seen.secret.as_str(),
        "state": seen.state.as_ref().map(state_json),
        "versions": candidates,
        "findings": findings,
        "repair": seen.repair().as_str(),
        "discardable": seen.discardable().is_some(),
    })
}

fn candidate_json(candidate: &Candidate) -> Value {
    let error = match &candidate.standing {
        Standing::Failed(reason) => {
            Some(json!({"code": reason.code(), "message": with_causes(reason)}))
        }
        _ => None,
    };
    json!({
        "label": candidate.label.as_str(), "version": candidate.version.as_str(),
        "created": unix(candidate.created), "standing": candidate.standing.as_str(), "error": error,
    })
}

/// The versions, for people.
pub(crate) fn show_candidates(output: Output, seen: &Examination) {
    for candidate in &seen.candidates {
        let standing = match &candidate.standing {
            Standing::Accepted => styled(GOOD, "accepted by the target"),
            Standing::Rejected => styled(BAD, "refused by the target"),
            Standing::SameAs(label) => format!("the same as {label}"),
            Standing::Empty => styled(MIND, "no value"),
            Standing::NotAsked => styled(FAINT, "not tried"),
            Standing::Altered(_) => styled(BAD, "not tried: other keys differ"),
            Standing::Failed(reason) => styled(BAD, reason.code()),
            _ => candidate.standing.as_str().to_owned(),
        };
        let age = match candidate.created {
            Some(at) => format!("made {}", when(Some(at))),
            None => String::new(),
        };
        output.line(format_args!(
            "  {:<12} {}  {standing}  {}",
            candidate.label.as_str(),
            candidate.version,
            styled(FAINT, age)
        ));
    }
}

/// The findings, for people.
pub(crate) fn show_findings(output: Output, seen: &Examination) {
    for finding in &seen.findings {
        let style = match finding.weight() {
            Weight::Blocks => BAD,
            Weight::Warns => MIND,
            _ => GOOD,
        };
        output.line(format_args!("{} {finding}", styled(style, finding.code())));
        if !matches!(finding, Finding::Fault(_) | Finding::Healthy) {
            output.line(format_args!(
                "  {} {}",
                styled(STRONG, "remedy:"),
                finding.remedy()
            ));
        }
    }
}
