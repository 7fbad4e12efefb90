//! What is told of each invocation: one JSON line that is log and metrics in one.
//!
//! The line is in `CloudWatch`'s embedded metric format, so that the log is all that a function needs to be
//! watched: no agent, no call, no right. Where no one reads metrics from it, it is a log line like others.
//! (Amazon `CloudWatch` user guide, "Specification: embedded metric format".)

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrets_core::event::{RotationEvent, Step, VersionId};
use secrets_core::rotation::Outcome;
use secrets_core::rotator::Overlap;
use serde_json::{Map, Value, json};

use crate::diagnostic::StepError;

/// Where the metrics are found.
const NAMESPACE: &str = "SecretsRotation";

/// Tells what came of invocations.
pub(crate) struct Watch {
    metrics: bool,
    warm: AtomicBool,
    last: Mutex<Option<Try>>,
}

/// How often in a row this process was asked for the same step.
#[derive(Clone, PartialEq, Eq)]
struct Try {
    version: VersionId,
    step: Step,
    attempts: u32,
}

/// One invocation.
pub(crate) struct Told<'a> {
    pub(crate) event: Option<&'a RotationEvent>,
    pub(crate) context: &'a lambda_runtime::Context,
    pub(crate) result: &'a Result<Outcome, StepError>,
    pub(crate) took: Duration,
    pub(crate) at: SystemTime,
    pub(crate) ages: Ages,
}

/// What else is known after a step.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ages {
    /// How old the version with `AWSCURRENT` was.
    pub(crate) credential: Option<Duration>,
    /// How long readers may have been without a working `AWSCURRENT`, at most.
    pub(crate) gap: Option<Duration>,
}

impl Ages {
    /// What a step's report says of a rotator that promises this.
    pub(crate) fn of(report: &secrets_core::rotation::Report, overlap: Overlap) -> Self {
        let promoted = matches!(report.result, Ok(Outcome::Promoted));
        let gap = match overlap {
            Overlap::UntilNextRotation => Some(Duration::ZERO),
            Overlap::ReplaceInPlace | Overlap::MintedInPlace => report.pending_age,
        };
        Self {
            credential: report.current_age,
            gap: gap.filter(|_| promoted),
        }
    }
}

impl Watch {
    /// Without metrics, lines are only log lines.
    pub(crate) fn new(metrics: bool) -> Self {
        Self {
            metrics,
            warm: AtomicBool::new(false),
            last: Mutex::new(None),
        }
    }

    /// Writes the line. In one piece: others write to the same place.
    pub(crate) fn tell(&self, told: &Told<'_>) {
        let mut line = self.line(told).to_string();
        line.push('\n');
        // Nobody is left to tell that nothing can be told.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }

    fn line(&self, told: &Told<'_>) -> Value {
        let at = told
            .at
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let (event, failed) = (told.event, told.result.is_err());
        let mut line = Map::new();
        let mut put = |key: &str, value: Value| line.insert(key.to_owned(), value);
        put("timestamp", json!(at));
        put("level", json!(if failed { "ERROR" } else { "INFO" }));
        put("message", json!("step"));
        put("function", json!(told.context.env_config.function_name));
        put("request_id", json!(told.context.request_id));
        if let Some(trace) = &told.context.xray_trace_id {
            put("trace_id", json!(trace));
        }
        put(
            "cold_start",
            json!(!self.warm.swap(true, Ordering::Relaxed)),
        );
        if let Some(event) = event {
            put("secret", json!(event.secret.as_str()));
            put("version", json!(event.version.as_str()));
            put("step", json!(event.step.as_str()));
        }
        put("ms", json!(told.took.as_millis()));
        match told.result {
            Ok(outcome) => {
                put("outcome", json!(outcome.as_str()));
            }
            Err(fault) => {
                put("outcome", json!("failed"));
                put("error_type", json!(fault.error_type()));
                put("advice", json!(fault.advice().as_str()));
                put("error", json!(fault.message()));
            }
        }
        self.measure(told, &mut line);
        Value::Object(line)
    }

    /// Adds the metrics, each under its name, and the directive that tells `CloudWatch` of them.
    fn measure(&self, told: &Told<'_>, line: &mut Map<String, Value>) {
        let attempts = told.event.map(|event| self.attempts(event));
        if !self.metrics {
            return;
        }
        let failed = told.result.is_err();
        let promoted = matches!(told.result, Ok(Outcome::Promoted));
        let by_step = told.event.map(|_| json!(["function", "step"]));
        let all = json!(["function"]);
        let both: Vec<_> = [Some(all.clone()), by_step.clone()]
            .into_iter()
            .flatten()
            .collect();
        let values = [
            (
                "Duration",
                "Milliseconds",
                Some(json!(told.took.as_millis())),
                both.clone(),
            ),
            ("Failures", "Count", Some(json!(u8::from(failed))), both),
            (
                "Attempts",
                "Count",
                attempts.map(|n| json!(n)),
                by_step.into_iter().collect(),
            ),
            (
                "Promotions",
                "Count",
                promoted.then(|| json!(1)),
                vec![all.clone()],
            ),
            (
                "CredentialAge",
                "Seconds",
                told.ages.credential.map(|age| json!(age.as_secs())),
                vec![all.clone()],
            ),
            (
                "Gap",
                "Milliseconds",
                told.ages.gap.map(|gap| json!(gap.as_millis())),
                vec![all],
            ),
        ];
        let mut directives = Vec::new();
        for (name, unit, value, dimensions) in values {
            let Some(value) = value else { continue };
            line.insert(name.to_owned(), value);
            directives.push(directive(name, unit, json!(dimensions)));
        }
        if failed {
            let kinds = json!([["function", "error_type"], ["function", "advice"]]);
            directives.push(directive("Failures", "Count", kinds));
        }
        let metadata = json!({"Timestamp": line.get("timestamp"), "CloudWatchMetrics": directives});
        line.insert("_aws".to_owned(), metadata);
    }

    /// Secrets Manager tries a failed step again; most often the same process is asked.
    fn attempts(&self, event: &RotationEvent) -> u32 {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = last
            .as_ref()
            .filter(|last| last.version == event.version && last.step == event.step);
        let attempts = before.map_or(1, |last| last.attempts.saturating_add(1));
        *last = Some(Try {
            version: event.version.clone(),
            step: event.step,
            attempts,
        });
        attempts
    }
}

fn directive(name: &str, unit: &str, dimensions: Value) -> Value {
    json!({"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": [{"Name": name, "Unit": unit}]})
}

#[cfg(test)]
mod tests;
