//! `doctor`: why a rotation is stuck, and what to do.

use secrets_core::event::VersionId;
use secrets_core::rotation::examine::Repair;

use crate::args::{Common, Doctor};
use crate::output::{FAINT, Output, STRONG, styled};
use crate::report::{Failure, Report};
use crate::store::May;
use crate::target::Target;
use crate::words::{examination_json, show_candidates, show_findings};

pub(crate) async fn run(args: &Doctor, common: &Common, output: Output) -> Result<Report, Failure> {
    let target = Target::open(&args.of, common).await?;
    let engine = target.engine(May::Look)?;
    let asked = args.asked.as_deref().map(VersionId::from);
    output.progress("reading the secret and asking the target ...");
    let seen = engine
        .examine(&target.secret, asked.as_ref(), target.deadline())
        .await;
    output.settle();

    output.line(format_args!(
        "{} {}",
        styled(STRONG, &target.secret),
        styled(FAINT, format_args!("(rotator {})", target.kind.as_str()))
    ));
    show_candidates(output, &seen);
    show_findings(output, &seen);
    let command = match seen.repair() {
        Repair::Nothing => None,
        Repair::Discard(_) => Some("discards the pending version"),
        Repair::RemoveNotes(_) => Some("removes the notes"),
        _ => Some("goes on with the rotation"),
    };
    if let Some(what) = command {
        output.line(format_args!(
            "  {} `secrets-rotation unstick {}` {what}",
            styled(STRONG, "here:"),
            target.secret
        ));
    }
    let mut json = examination_json(&seen);
    json["rotator"] = target.kind.as_str().into();
    Ok(Report::attention_if(seen.needs_action(), json))
}
