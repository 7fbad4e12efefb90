//! `verify`: whether what `AWSCURRENT` holds logs in.

use secrets_core::rotator::Verdict;
use serde_json::json;

use crate::args::{Common, Of};
use crate::output::{BAD, GOOD, Output, styled};
use crate::report::{Failure, Report};
use crate::store::May;
use crate::target::Target;

pub(crate) async fn run(args: &Of, common: &Common, output: Output) -> Result<Report, Failure> {
    let target = Target::open(args, common).await?;
    let engine = target.engine(May::Look)?;
    let verdict = engine.verify(&target.secret, target.deadline()).await?;
    let accepted = verdict == Verdict::Accepted;
    let (style, said) = if accepted {
        (GOOD, "accepted")
    } else {
        (BAD, "refused as wrong; `doctor` looks for the cause")
    };
    output.line(format_args!(
        "{}: AWSCURRENT is {}",
        target.secret,
        styled(style, said)
    ));
    let json = json!({
        "secret": target.secret.as_str(), "rotator": target.kind.as_str(), "accepted": accepted,
    });
    Ok(Report::attention_if(!accepted, json))
}
