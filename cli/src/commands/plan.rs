//! `plan`: what a rotation would do now. Nothing is written.

use secrets_core::event::Step;
use secrets_core::rotation::Reason;
use secrets_core::rotation::examine::{Examination, Finding, Standing, Weight};
use secrets_core::rotator::{Overlap, Repeat, Retirement};
use secrets_core::store::Label;
use serde_json::{Value, json};

use crate::args::{Common, Of};
use crate::output::{FAINT, MIND, Output, STRONG, styled};
use crate::report::{Failure, Report};
use crate::store::May;
use crate::target::Target;
use crate::words::{examination_json, show_candidates, show_findings};

/// What shows only when it is done: a call with these rights changes something.
const UNSEEN: [&str; 3] = [
    "secretsmanager:PutSecretValue and secretsmanager:UpdateSecretVersionStage on the secret",
    "kms:GenerateDataKey on its key, where that is a customer's",
    "the right to change the credential at the target",
];

pub(crate) async fn run(args: &Of, common: &Common, output: Output) -> Result<Report, Failure> {
    let target = Target::open(args, common).await?;
    let engine = target.engine(May::Look)?;
    output.progress("reading the secret and asking the target ...");
    let seen = engine
        .examine(&target.secret, None, target.deadline())
        .await;
    output.settle();

    let steps: Vec<_> = Step::ALL.map(|step| (step, forecast(step, &seen))).into();
    let gap = gap(&seen);
    output.line(format_args!(
        "{} {}",
        styled(STRONG, &target.secret),
        styled(FAINT, format_args!("(rotator {})", target.kind.as_str()))
    ));
    show_candidates(output, &seen);
    for (step, would) in &steps {
        output.line(format_args!("  {:<13} {would}", step.as_str()));
    }
    output.line(format_args!("  {:<13} {gap}", "gap"));
    show_findings(output, &seen);
    for right in UNSEEN {
        output.line(format_args!(
            "{} {right}",
            styled(MIND, "not seen without writing:")
        ));
    }

    let mut json = examination_json(&seen);
    json["rotator"] = target.kind.as_str().into();
    json["steps"] = steps
        .iter()
        .map(|(step, would)| json!({"step": step.as_str(), "would": would}))
        .collect();
    json["gap"] = gap.into();
    json["unseen"] = UNSEEN.to_vec().into();
    let stands_in_the_way = would_fail(&seen);
    json["would_fail"] = stands_in_the_way.map_or(Value::Null, |it| it.code().into());
    let attention =
        stands_in_the_way.is_some() || seen.findings.iter().any(|it| it.weight() == Weight::Warns);
    Ok(Report::attention_if(attention, json))
}

/// What a rotation would end with: a half-done one is no obstacle, since it is gone on with.
fn would_fail(seen: &Examination) -> Option<&Finding> {
    seen.findings
        .iter()
        .find(|it| matches!(it, Finding::Fault(_)))
}

/// The step that a fault ends: what concerns the target shows in setSecret, all else at once.
fn ends_in(fault: &Finding) -> Step {
    match fault {
        Finding::Fault(
            Reason::Rotator(_)
            | Reason::NoneAccepted
            | Reason::PendingAltered { .. }
            | Reason::OutOfTime
            | Reason::Document {
                label: Label::Pending,
                ..
            },
        ) => Step::Set,
        _ => Step::Create,
    }
}

fn forecast(step: Step, seen: &Examination) -> String {
    let fault = would_fail(seen);
    let ends_in = fault.map(ends_in);
    if let (Some(fault), Some(ends_in)) = (fault, ends_in) {
        match step {
            _ if step == ends_in => return format!("would end with {}", fault.code()),
            Step::Create => {}
            _ => return "would not be reached".to_owned(),
        }
    }
    let pending = seen.candidate(&Label::Pending);
    let standing = pending.map(|it| &it.standing);
    match step {
        Step::Create => match standing {
            // Where the target makes the value, a target out of reach shows here.
            None if ends_in.is_some() => {
                "would make a new value, if the target is not needed for it".to_owned()
            }
            None => "would make a new value and store it as AWSPENDING".to_owned(),
            Some(Standing::Empty) => "would make the value that is missing".to_owned(),
            Some(_) => "would keep the value of AWSPENDING".to_owned(),
        },
        Step::Set => match standing {
            Some(Standing::Accepted | Standing::SameAs(_)) => {
                "would do nothing: the target accepts the value already".to_owned()
            }
            _ if accepted(seen, &Label::Current) => {
                "would log in with AWSCURRENT and set the value".to_owned()
            }
            _ => "would log in with AWSPREVIOUS and set the value".to_owned(),
        },
        Step::Test => "would present the new value once".to_owned(),
        Step::Finish => {
            let retires = match seen.profile.retires {
                Retirement::Never => "",
                Retirement::WhenSuperseded => ", and remove the credential of AWSPREVIOUS before",
                Retirement::AfterPromotion => ", and remove the old credential afterwards",
            };
            format!("would move AWSCURRENT{retires}")
        }
    }
}

fn accepted(seen: &Examination, label: &Label) -> bool {
    let candidate = seen.candidate(label);
    candidate.is_some_and(|it| it.standing == Standing::Accepted)
}

fn gap(seen: &Examination) -> String {
    let gap = match seen.profile.overlap {
        Overlap::UntilNextRotation => "none: old and new value work until the next rotation",
        Overlap::ReplaceInPlace => {
            "readers of AWSCURRENT are refused from setSecret to finishSecret; AWSPENDING bridges it"
        }
        Overlap::MintedInPlace => {
            "readers of AWSCURRENT are refused from createSecret to finishSecret; AWSPENDING bridges it from \
             the moment that it has a value"
        }
    };
    match seen.profile.repeat {
        Repeat::Never => {
            format!("{gap}; createSecret must not be interrupted: it cannot be repeated")
        }
        _ => gap.to_owned(),
    }
}
