//! Instructions and allocations of a read, counted by valgrind: what more reads cost, divided. The same on every
//! machine, whatever else it does.

use std::env;
use std::process::Command;

use crate::timing::Warm;

const FEW: u32 = 100;
const MORE: u32 = 10_000;

/// Reads so often, and nothing else.
pub(crate) fn read(kind: &str, reads: u32) {
    let warm = Warm::new();
    let read: &dyn Fn() = match kind {
        "theirs" => &|| warm.read_theirs(),
        "handle" => &|| warm.read_handle(),
        "get_secret" => &|| warm.get_secret(),
        _ => panic!("no such read: {kind}"),
    };
    (0..reads).for_each(|_| read());
}

/// What is counted, theirs, ours.
pub(crate) fn counts() -> Result<Vec<(String, f64, f64)>, String> {
    let mut counts = Vec::new();
    for (what, tool, before) in [
        ("instructions", "callgrind", "Collected :"),
        ("allocations", "memcheck", "total heap usage:"),
    ] {
        let each = |kind| {
            let count = |reads| counted(tool, before, kind, reads);
            let (few, many) = (count(FEW)?, count(FEW + MORE)?);
            // The start of a process is not the same to the last instruction.
            Ok::<f64, String>(((many - few) / f64::from(MORE)).round().max(0.0))
        };
        let theirs = each("theirs")?;
        counts.push((
            format!("{what} of a read through a handle"),
            theirs,
            each("handle")?,
        ));
        counts.push((
            format!("{what} of a read by name"),
            theirs,
            each("get_secret")?,
        ));
    }
    Ok(counts)
}

/// The first number after these words in what the tool reports.
fn counted(tool: &str, before: &str, kind: &str, reads: u32) -> Result<f64, String> {
    let binary = env::current_exe().map_err(|fault| fault.to_string())?;
    let mut valgrind = Command::new("valgrind");
    valgrind.arg(format!("--tool={tool}"));
    if tool == "callgrind" {
        valgrind.arg("--callgrind-out-file=/dev/null");
    }
    let reads = reads.to_string();
    let run = valgrind.arg(binary).args(["read", kind, &reads]).output();
    let run = run.map_err(|fault| format!("valgrind: {fault}; apt-get install valgrind"))?;
    let report = String::from_utf8_lossy(&run.stderr);
    let number = report.split_once(before).map(|(_, rest)| {
        let number = rest.trim_start().split(' ').next().unwrap_or_default();
        let number = number.lines().next().unwrap_or_default();
        number.replace(',', "").parse()
    });
    match number {
        Some(Ok(number)) => Ok(number),
        _ => Err(format!("valgrind reports no number: {report}")),
    }
}
