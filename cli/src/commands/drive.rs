//! The four steps, one after the other.

use secrets_core::event::{RotationEvent, Step, VersionId};
use serde_json::{Value, json};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, interval};

use crate::engine::Engine;
use crate::interrupt::{Ended, Interrupts};
use crate::output::{BAD, FAINT, GOOD, MIND, Output, styled};
use crate::report::Failure;
use crate::store::May;
use crate::target::Target;

/// What came of a step, for machines.
type Steps = Vec<Value>;

/// Takes a version from wherever it stands to `AWSCURRENT`.
pub(crate) async fn drive(
    target: &Target<'_>,
    version: &VersionId,
    output: Output,
) -> Result<Value, Failure> {
    let engine = target.engine(May::Rotate(version.clone()))?;
    let mut interrupts = Interrupts::new().map_err(|fault| {
        Failure::settings(format!("signals cannot be listened to: {}", fault.kind()))
    })?;
    let mut steps = Steps::new();
    for step in Step::ALL {
        let event = RotationEvent {
            step,
            secret: target.secret.clone(),
            version: version.clone(),
            rotation_token: None,
        };
        let done = one(
            target,
            &*engine,
            &event,
            &mut interrupts,
            output,
            &mut steps,
        )
        .await;
        done.map_err(|failure| failure.after(summary(target, version, &steps)))?;
        if interrupts.seen() && step != Step::Finish {
            let stopped = format!("stopped after {step}; `run` again goes on from here");
            let so_far = summary(target, version, &steps);
            return Err(Failure::interrupted(stopped).after(so_far));
        }
    }
    Ok(summary(target, version, &steps))
}

async fn one(
    target: &Target<'_>,
    engine: &dyn Engine,
    event: &RotationEvent,
    interrupts: &mut Interrupts,
    output: Output,
    steps: &mut Steps,
) -> Result<(), Failure> {
    let step = event.step;
    let started = Instant::now();
    let work = async {
        let mut result = std::pin::pin!(engine.step(event, target.deadline()));
        let mut ticks = interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                biased;
                result = &mut result => return result,
                _ = ticks.tick() => {
                    let seconds = started.elapsed().as_secs();
                    output.progress(format_args!("  {:<13} {seconds} s ...", step.as_str()));
                }
            }
        }
    };
    let on_first = || {
        output.remark(format_args!(
            "{} {step} is let come to its end, then this stops; once more drops it",
            styled(MIND, "stopping:")
        ));
    };
    let ended = interrupts.guard(work, on_first).await;
    output.settle();
    let took = started.elapsed();
    let (style, outcome) = match &ended {
        Ended::Done(Ok(done)) => (GOOD, done.as_str()),
        Ended::Done(Err(_)) => (BAD, "failed"),
        Ended::Dropped => (BAD, "interrupted"),
    };
    output.line(format_args!(
        "  {:<13} {} {}",
        step.as_str(),
        styled(style, outcome),
        styled(FAINT, format_args!("{:.1} s", took.as_secs_f32()))
    ));
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    steps.push(json!({"step": step.as_str(), "outcome": outcome, "ms": ms}));
    match ended {
        Ended::Done(Ok(_)) => Ok(()),
        Ended::Done(Err(fault)) => Err(fault.into()),
        Ended::Dropped => Err(Failure::interrupted(format!(
            "interrupted in {step}; `run` again goes on from there"
        ))),
    }
}

fn summary(target: &Target<'_>, version: &VersionId, steps: &Steps) -> Value {
    json!({
        "secret": target.secret.as_str(), "rotator": target.kind.as_str(),
        "version": version.as_str(), "steps": steps,
    })
}

/// A version id that no other rotation has, in the form of a UUID. It is no secret.
pub(crate) fn new_version() -> VersionId {
    let number = || RandomState::new().hash_one((std::process::id(), SystemTime::now()));
    let (high, low) = (number(), number());
    let id = format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    );
    VersionId::from(id)
}
