//! `unstick`: does what `doctor` says can be done here.

use std::time::{Duration, SystemTime};

use secrets_core::event::VersionId;
use secrets_core::rotation::examine::{Examination, Repair};
use secrets_core::store::Label;
use serde_json::{Value, json};

use crate::args::{Common, Unstick};
use crate::ask::confirm;
use crate::commands::drive::{drive, new_version};
use crate::output::{GOOD, Output, STRONG, styled};
use crate::report::{Exit, Failure, Report};
use crate::store::May;
use crate::target::{Target, pending};
use crate::words::{examination_json, show_candidates, show_findings, span};

pub(crate) async fn run(
    args: &Unstick,
    common: &Common,
    output: Output,
) -> Result<Report, Failure> {
    let target = Target::open(&args.of, common).await?;
    let engine = target.engine(May::Look)?;
    let seen = engine
        .examine(&target.secret, None, target.deadline())
        .await;
    output.line(styled(STRONG, &target.secret));
    show_candidates(output, &seen);
    show_findings(output, &seen);

    let repair = choose(args, &seen)?;
    let mut json = examination_json(&seen);
    json["rotator"] = target.kind.as_str().into();
    let done = match &repair {
        Repair::RollForward => roll_forward(args, &target, output).await?,
        Repair::Discard(version) => discard(args, &target, &seen, version, output).await?,
        Repair::RemoveNotes(_) => remove_notes(args, &target, output).await?,
        _ => {
            let report = Report::attention_if(seen.needs_action(), json);
            if report.exit == Exit::Attention {
                output.remark("nothing was done: this needs a person; see above");
            }
            return Ok(report);
        }
    };
    json["done"] = done;
    Ok(Report::fine(json))
}

fn choose(args: &Unstick, seen: &Examination) -> Result<Repair, Failure> {
    if !args.discard {
        return Ok(seen.repair());
    }
    match seen.discardable() {
        Some(version) => Ok(Repair::Discard(version.clone())),
        None => Err(Failure::refused(
            "NotSafe",
            "nothing was done: a pending version is discarded only where the target accepts AWSCURRENT and \
             refuses AWSPENDING",
        )
        .after(examination_json(seen))),
    }
}

async fn roll_forward(
    args: &Unstick,
    target: &Target<'_>,
    output: Output,
) -> Result<Value, Failure> {
    let state = target.state().await?;
    let version = pending(&state).cloned().unwrap_or_else(new_version);
    let question = format!("Go on with version {version}, to AWSCURRENT?");
    confirm(&question, args.yes)?;
    let mut done = drive(target, &version, output).await?;
    done["repair"] = Repair::RollForward.as_str().into();
    output.line(styled(GOOD, "AWSCURRENT is the new version"));
    Ok(done)
}

async fn discard(
    args: &Unstick,
    target: &Target<'_>,
    seen: &Examination,
    version: &VersionId,
    output: Output,
) -> Result<Value, Failure> {
    let made = seen
        .candidate(&Label::Pending)
        .and_then(|pending| pending.created);
    let age = made.and_then(|made| SystemTime::now().duration_since(made).ok());
    let min_age = Duration::from_secs(args.min_age);
    if age.is_some_and(|age| age < min_age) {
        return Err(Failure::refused(
            "TooYoung",
            format!(
                "nothing was done: the pending version is younger than {}, so an invocation may still be at \
                 work with it; wait, or say --min-age if you know that none is",
                span(min_age)
            ),
        ));
    }
    let question = format!("Take AWSPENDING off version {version}? AWSCURRENT stays as it is.");
    confirm(&question, args.yes)?;
    let engine = target.engine(May::Repair)?;
    let discarded = engine.discard_if_safe(&target.secret, target.deadline());
    let (_, discarded) = discarded.await?;
    let Some(discarded) = discarded else {
        return Err(Failure::refused(
            "NotSafe",
            "nothing was done: the secret has changed meanwhile; look again",
        ));
    };
    output.line(styled(
        GOOD,
        format_args!("AWSPENDING was taken off {discarded}"),
    ));
    Ok(json!({"repair": "discard", "version": discarded.as_str()}))
}

async fn remove_notes(
    args: &Unstick,
    target: &Target<'_>,
    output: Output,
) -> Result<Value, Failure> {
    confirm(
        "Remove the labels CREATE-BEGAN-... from AWSCURRENT?",
        args.yes,
    )?;
    let engine = target.engine(May::Repair)?;
    let removed = engine.remove_notes(&target.secret).await?;
    output.line(styled(GOOD, format_args!("{removed} notes were removed")));
    Ok(json!({"repair": "remove_notes", "removed": removed}))
}
