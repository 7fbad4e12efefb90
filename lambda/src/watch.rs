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
use secrets_core::rotation::examine::{Examination, Finding, Weight};
use secrets_core::rotator::Overlap;
use serde_json::{Map, Value, json};

use crate::check::{self, Numbers};
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

/// One check.
pub(crate) struct Checked<'a> {
    pub(crate) seen: &'a Examination,
    pub(crate) context: &'a lambda_runtime::Context,
    pub(crate) took: Duration,
    pub(crate) at: SystemTime,
}

/// A metric: name, unit, value if there is one, and the sets of dimensions.
type Number = (&'static str, &'static str, Option<Value>, Vec<Value>);

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

    /// Tells what came of a step.
    pub(crate) fn tell(&self, told: &Told<'_>) {
        write(self.line(told));
    }

    /// Tells what a check has found.
    pub(crate) fn tell_check(&self, told: &Checked<'_>) {
        write(self.check_line(told));
    }

    /// Whether no invocation was told yet.
    pub(crate) fn is_cold(&self) -> bool {
        !self.warm.load(Ordering::Relaxed)
    }

    /// What all lines have.
    fn head(
        &self,
        message: &str,
        level: &str,
        context: &lambda_runtime::Context,
        at: SystemTime,
    ) -> Map<String, Value> {
        let at = at
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let mut line = Map::new();
        let mut put = |key: &str, value: Value| line.insert(key.to_owned(), value);
        put("timestamp", json!(at));
        put("level", json!(level));
        put("message", json!(message));
        put("function", json!(context.env_config.function_name));
        put("request_id", json!(context.request_id));
        if let Some(trace) = &context.xray_trace_id {
            put("trace_id", json!(trace));
        }
        put(
            "cold_start",
            json!(!self.warm.swap(true, Ordering::Relaxed)),
        );
        line
    }

    fn check_line(&self, told: &Checked<'_>) -> Map<String, Value> {
        let gravest = told.seen.findings.iter().map(Finding::weight).min();
        let level = match gravest {
            Some(Weight::Blocks) => "ERROR",
            Some(Weight::Warns) => "WARN",
            _ => "INFO",
        };
        let mut line = self.head("check", level, told.context, told.at);
        line.insert("secret".to_owned(), json!(told.seen.secret.as_str()));
        line.insert("ms".to_owned(), json!(told.took.as_millis()));
        line.insert("findings".to_owned(), json!(check::findings(told.seen)));
        let numbers = Numbers::of(told.seen, told.at);
        let age = numbers.age.map(|age| json!(age.as_secs()));
        self.measure(
            &mut line,
            vec![
                (
                    "Stuck",
                    "Count",
                    Some(json!(u8::from(numbers.stuck))),
                    vec![json!(["function"])],
                ),
                (
                    "Overdue",
                    "Seconds",
                    Some(json!(numbers.overdue.as_secs())),
                    vec![json!(["function"])],
                ),
                ("CredentialAge", "Seconds", age, vec![json!(["function"])]),
            ],
        );
        line
    }

    fn line(&self, told: &Told<'_>) -> Map<String, Value> {
        let (event, failed) = (told.event, told.result.is_err());
        let level = if failed { "ERROR" } else { "INFO" };
        let mut line = self.head("step", level, told.context, told.at);
        let mut put = |key: &str, value: Value| line.insert(key.to_owned(), value);
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
        self.measure(&mut line, self.numbers(told));
        line
    }

    /// The numbers of a step, each with its unit and the dimensions under which it is counted.
    fn numbers(&self, told: &Told<'_>) -> Vec<Number> {
        let attempts = told.event.map(|event| self.attempts(event));
        let failed = told.result.is_err();
        let promoted = matches!(told.result, Ok(Outcome::Promoted));
        let all = json!(["function"]);
        let by_step = told.event.map(|_| json!(["function", "step"]));
        let both: Vec<_> = by_step.iter().cloned().chain([all.clone()]).collect();
        let mut failures = both.clone();
        if failed {
            failures.extend([
                json!(["function", "error_type"]),
                json!(["function", "advice"]),
            ]);
        }
        let age = told.ages.credential.map(|age| json!(age.as_secs()));
        let gap = told.ages.gap.map(|gap| json!(gap.as_millis()));
        vec![
            (
                "Duration",
                "Milliseconds",
                Some(json!(told.took.as_millis())),
                both,
            ),
            ("Failures", "Count", Some(json!(u8::from(failed))), failures),
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
            ("CredentialAge", "Seconds", age, vec![all.clone()]),
            ("Gap", "Milliseconds", gap, vec![all]),
        ]
    }

    /// Adds those numbers that are there, and the directive that tells `CloudWatch` of them.
    fn measure(&self, line: &mut Map<String, Value>, numbers: Vec<Number>) {
        if !self.metrics {
            return;
        }
        let mut directives = Vec::new();
        for (name, unit, value, dimensions) in numbers {
            let Some(value) = value else { continue };
            line.insert(name.to_owned(), value);
            directives.push(json!({
                "Namespace": NAMESPACE,
                "Dimensions": dimensions,
                "Metrics": [{"Name": name, "Unit": unit}],
            }));
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

/// Writes a line. In one piece: others write to the same place.
fn write(line: Map<String, Value>) {
    let mut line = Value::Object(line).to_string();
    line.push('\n');
    // Nobody is left to tell that nothing can be told.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests;
