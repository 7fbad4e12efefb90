//! What the Lambda functions cost, beside a bare `lambda_runtime` and beside Python with boto3.
//!
//! `benches/run` builds what is needed and starts this; see docs/benchmarks.md.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people to run; what it cannot measure ends it"
)]

mod cold;
mod fleet;
mod function;
mod peer;
mod readme;
mod report;
mod rotation;
mod scale;
mod settings;
#[path = "../../client/src/spread.rs"]
mod spread;
mod surroundings;
mod svg;
mod tls;
mod wire;

use std::process::{Command, ExitCode, Stdio};

use report::Report;

/// How often each is measured; `--quick` is for looking whether it works.
struct Rounds {
    cold: u32,
    rotation: u32,
    scale: u32,
}

const ROUNDS: Rounds = Rounds {
    cold: 30,
    rotation: 15,
    scale: 5,
};
const QUICK: Rounds = Rounds {
    cold: 3,
    rotation: 2,
    scale: 1,
};

const HELP: &str =
    "usage: benches/run [--quick] [--only cold|rotation|scale|fleet|client]... [--update-readme]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, handlers] = arguments.as_slice()
        && word == "scale"
    {
        println!("{}", scale::run(handlers.parse().expect("a number")));
        return ExitCode::SUCCESS;
    }
    let (mut quick, mut update_readme, mut only) = (false, false, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), rest.clone().next()) {
            ("--quick", _) => quick = true,
            ("--update-readme", _) => update_readme = true,
            ("--only", Some(section)) if SECTIONS.contains(&section.as_str()) => {
                only.push(section.as_str());
                rest.next();
            }
            _ => {
                eprintln!("{HELP}");
                return ExitCode::FAILURE;
            }
        }
    }
    if quick && update_readme {
        eprintln!("a quick run is no measurement: --update-readme goes without --quick");
        return ExitCode::FAILURE;
    }
    let report = measure(if quick { &QUICK } else { &ROUNDS }, &only);
    match report.write(update_readme) {
        Ok(()) => {
            eprintln!("written: benches/report.md and benches/plots");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

const SECTIONS: [&str; 5] = ["cold", "rotation", "client", "scale", "fleet"];

fn measure(rounds: &Rounds, only: &[&str]) -> Report {
    let mut report = Report::default();
    for section in SECTIONS {
        if !only.is_empty() && !only.contains(&section) {
            continue;
        }
        eprintln!("measuring: {section}");
        match section {
            "cold" => {
                let all = settings::functions();
                let built = cold::built(&all);
                assert_eq!(built, all, "all functions are built: benches/run does it");
                report.cold(&cold::measure(&built, rounds.cold), rounds.cold);
            }
            "rotation" => {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .enable_all()
                    .build();
                let runtime = runtime.expect("a runtime");
                report.rotations(
                    &runtime.block_on(rotation::measure(rounds.rotation)),
                    rounds.rotation,
                );
            }
            "client" => report.client(&client()),
            "scale" => report.scale(&scale::measure(rounds.scale), rounds.scale),
            _ => report.fleet(&fleet::simulate(0.1), &fleet::simulate(0.0)),
        }
    }
    report
}

/// The table of the benchmark that is not in the workspace.
fn client() -> String {
    let run = settings::root().join("benches/client/run");
    let output = Command::new(run).stderr(Stdio::inherit()).output();
    let output = output.expect("benches/client/run can be run");
    assert!(output.status.success(), "benches/client/run failed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
