//! `run`: a rotation without Lambda, from its beginning or from where it stands.

use crate::args::{Common, Run};
use crate::commands::drive::{drive, new_version};
use crate::output::{FAINT, GOOD, Output, STRONG, styled};
use crate::report::{Failure, Report};
use crate::target::{Target, pending};

pub(crate) async fn run(args: &Run, common: &Common, output: Output) -> Result<Report, Failure> {
    let target = Target::open(&args.of, common).await?;
    let state = target.state().await?;
    let resumed = pending(&state);
    let version = resumed.cloned().unwrap_or_else(new_version);
    let what = match resumed {
        Some(_) => "goes on with",
        None => "new version",
    };
    output.line(format_args!(
        "{} {what} {version} {}",
        styled(STRONG, &target.secret),
        styled(FAINT, format_args!("(rotator {})", target.kind.as_str()))
    ));
    let resumed = resumed.is_some();
    let mut json = drive(&target, &version, output).await?;
    output.line(styled(GOOD, "AWSCURRENT is the new version"));
    json["resumed"] = resumed.into();
    Ok(Report::fine(json))
}
