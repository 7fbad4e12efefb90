//! `secrets-rotation`: looks at rotations, runs them by hand, and frees those that are stuck.
//!
//! ```text
//! args ──▶ commands/* ──▶ settings, store, rotators ──▶ the engine of secrets-core
//!               │
//!               ▼
//!            output: lines for people, or one JSON object; and the exit code
//! ```
//!
//! `docs/cli.md` has the commands, the exit codes and the JSON. No value of a secret is ever printed.

mod args;
mod ask;
mod commands;
mod engine;
mod interrupt;
mod invoke;
mod output;
mod report;
mod rotators;
mod settings;
mod store;
mod target;
mod words;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use output::Output;
use report::Exit;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output::new(args.common.json);
    let common = &args.common;
    let name = args.command.name();
    let result = match &args.command {
        Command::Status(args) => commands::status::run(args, common, output).await,
        Command::Plan(args) => commands::plan::run(args, common, output).await,
        Command::Run(args) => commands::run::run(args, common, output).await,
        Command::Verify(args) => commands::verify::run(args, common, output).await,
        Command::Doctor(args) => commands::doctor::run(args, common, output).await,
        Command::Unstick(args) => commands::unstick::run(args, common, output).await,
        Command::Invoke(args) => commands::invoke::run(args, common, output).await,
        Command::Completions { shell } => {
            commands::completions::run(*shell);
            return ExitCode::SUCCESS;
        }
    };
    let exit = match result {
        Ok(report) => {
            output.report(name, &report);
            report.exit
        }
        Err(failure) => {
            output.failure(name, &failure);
            failure.exit
        }
    };
    Exit::into(exit)
}
