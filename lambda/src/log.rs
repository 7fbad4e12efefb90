//! One JSON line a step: secret, version, step, outcome, milliseconds. Never a value.

use std::time::Duration;

use secrets_core::event::RotationEvent;
use secrets_core::rotation::Outcome;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::diagnostic::StepError;

/// Sends events to standard output, which Lambda hands on to `CloudWatch` Logs.
pub(crate) fn start() {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false);
    let filter = Targets::new()
        // Fixed, not a setting: at `trace` the runtime logs whole events, rotation tokens included.
        .with_default(LevelFilter::INFO)
        // It repeats the error that we log below, in a form made for people.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    // Fails only where a subscriber is there already, which then is the one that was wanted.
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .try_init();
}

/// Logs what came of an invocation.
pub(crate) fn step(
    event: Option<&RotationEvent>,
    result: &Result<Outcome, StepError>,
    took: Duration,
) {
    let secret = event.map(|event| event.secret.as_str());
    let version = event.map(|event| event.version.as_str());
    let step = event.map(|event| event.step.as_str());
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(outcome) => {
            tracing::info!(
                secret,
                version,
                step,
                outcome = outcome.as_str(),
                ms,
                "step"
            );
        }
        Err(fault) => {
            tracing::error!(
                secret,
                version,
                step,
                outcome = "failed",
                ms,
                error_type = fault.error_type(),
                advice = fault.advice().as_str(),
                error = fault.message(),
                "step"
            );
        }
    }
}
