//! Lambda functions that rotate secrets.
//!
//! A binary is [`serve`] with a rotator. Everything that knows Lambda or the environment is in this
//! crate: [`environment`] and [`config`] read settings, [`diagnostic`] turns errors into what Lambda
//! reports, and one JSON line a step, log and metrics in one, goes to standard output.

mod check;
pub mod config;
pub mod diagnostic;
pub mod environment;
mod log;
mod watch;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use secrets_core::event::{RotationEvent, SecretId};
use secrets_core::rotation::examine::Examination;
use secrets_core::rotation::{Outcome, Rotation};
use secrets_core::rotator::Rotator;
use secrets_core::store::SecretStore;
use secrets_core::store::aws::AwsStore;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use diagnostic::StepError;
use environment::{Environment, InvalidConfiguration};
use watch::{Ages, Checked, Told, Watch};

/// How long before the service stops the function a step gives up by itself, to say why.
const MARGIN: Duration = Duration::from_millis(500);

/// What the runtime may end with: it could not reach Lambda's own interface.
pub type Error = lambda_runtime::Error;

/// Serves rotation events with the rotator that `build` makes from the environment, until Lambda
/// stops the process.
///
/// Settings that are wrong do not end the process: each invocation is answered with all faults, under
/// the error type `InvalidConfiguration`, so that they are seen where rotations are watched.
///
/// # Errors
/// When Lambda's interface cannot be reached.
pub async fn serve<R, F>(build: F) -> Result<(), Error>
where
    R: Rotator,
    F: FnOnce(&mut Environment, AwsStore) -> Option<R>,
{
    log::start();
    let mut env = Environment::of_process();
    let watch = Watch::new(config::metrics(&mut env));
    let rotation = configure(env, build);
    if let Err(faults) = &rotation {
        tracing::error!(error_type = "InvalidConfiguration", error = %faults, "configuration");
    }
    // In a box, or the runtime's future, which is moved about at the start, has room for it.
    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        Box::pin(answer(&rotation, &watch, event))
    }))
    .await
}

fn configure<R, F>(
    mut env: Environment,
    build: F,
) -> Result<Rotation<AwsStore, R>, InvalidConfiguration>
where
    R: Rotator,
    F: FnOnce(&mut Environment, AwsStore) -> Option<R>,
{
    let min_overlap = config::min_overlap(&mut env);
    let store = AwsStore::connect(&config::aws(&mut env));
    let rotator = build(&mut env, store.clone());
    let rotation = Rotation::new(store, env.finish(rotator)?);
    Ok(match min_overlap {
        Some(min_overlap) => rotation.with_min_overlap(min_overlap),
        None => rotation,
    })
}

async fn answer<R: Rotator>(
    rotation: &Result<Rotation<AwsStore, R>, InvalidConfiguration>,
    watch: &Watch,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Value, Diagnostic> {
    let (started, at) = (Instant::now(), SystemTime::now());
    let deadline = deadline(&event.context, at, started);
    let payload = event.payload.get();
    if let (Ok(rotation), Some(secret)) = (rotation, check::asked(payload)) {
        let seen = examine(rotation, &secret, watch, &event.context, deadline).await;
        return Ok(check::answer(&seen));
    }
    let (parsed, (mut result, ages)) = match (RotationEvent::parse(payload), rotation) {
        (parsed, Err(faults)) => (parsed.ok(), (Err(faults.clone().into()), Ages::default())),
        (Err(fault), Ok(_)) => (None, (Err(fault.into()), Ages::default())),
        (Ok(parsed), Ok(rotation)) => {
            let came = step(rotation, &parsed, deadline).await;
            (Some(parsed), came)
        }
    };
    if let (Ok(rotation), Some(parsed), Ok(Outcome::Tested)) = (rotation, &parsed, &result)
        && watch.is_cold()
        && rotation.is_trial(parsed, deadline).await
    {
        let seen = examine(rotation, &parsed.secret, watch, &event.context, deadline).await;
        if let Some(faults) = check::after_deployment(&seen) {
            result = Err(StepError::NotReady(faults));
        }
    }
    watch.tell(&Told {
        event: parsed.as_ref(),
        context: &event.context,
        result: &result,
        took: started.elapsed(),
        at,
        ages,
    });
    match result {
        Ok(_) => Ok(Value::Null),
        Err(fault) => Err(fault.to_diagnostic()),
    }
}

/// Checks the rotation of a secret, and tells what was found.
async fn examine<S: SecretStore, R: Rotator>(
    rotation: &Rotation<S, R>,
    secret: &SecretId,
    watch: &Watch,
    context: &Context,
    deadline: Instant,
) -> Examination {
    let (started, at) = (Instant::now(), SystemTime::now());
    let seen = Box::pin(rotation.examine(secret, None, deadline)).await;
    watch.tell_check(&Checked {
        seen: &seen,
        context,
        took: started.elapsed(),
        at,
    });
    seen
}

async fn step<S: SecretStore, R: Rotator>(
    rotation: &Rotation<S, R>,
    event: &RotationEvent,
    deadline: Instant,
) -> (Result<Outcome, StepError>, Ages) {
    let report = rotation.report(event, deadline).await;
    let ages = Ages::of(&report, rotation.rotator().profile().overlap);
    (report.result.map_err(|fault| Box::new(fault).into()), ages)
}

/// Lambda gives the deadline by the wall clock, in milliseconds since 1970.
fn deadline(context: &Context, now: SystemTime, instant: Instant) -> Instant {
    let at = UNIX_EPOCH + Duration::from_millis(context.deadline);
    let left = at.duration_since(now).unwrap_or_default();
    instant + left.saturating_sub(MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_gives_up_before_lambda_stops_it() {
        let instant = Instant::now();
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        let mut context = Context::default();
        for (deadline_ms, left_ms) in [(1_030_000, 29_500), (1_000_400, 0), (999_000, 0), (0, 0)] {
            context.deadline = deadline_ms;
            let left = deadline(&context, now, instant) - instant;
            assert_eq!(left, Duration::from_millis(left_ms));
        }
    }
}
