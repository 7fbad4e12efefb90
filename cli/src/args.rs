//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;

use crate::rotators::Kind;

const AFTER_HELP: &str = "\
Exit codes: 0 fine; 1 failed; 2 wrong command line; 3 something needs attention; 4 settings are missing or \
wrong; 5 nothing was done, since it was not confirmed or is not safe; 130 interrupted.

Credentials and region come from the environment: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, \
AWS_SESSION_TOKEN, AWS_ENDPOINT_URL_SECRETS_MANAGER. With a profile or SSO:
  eval \"$(aws configure export-credentials --format env)\"";

/// Looks at rotations of AWS Secrets Manager, runs them by hand, and frees those that are stuck.
#[derive(Debug, Parser)]
#[command(name = "secrets-rotation", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What all commands take.
#[derive(ClapArgs, Debug)]
pub(crate) struct Common {
    /// One JSON object instead of lines for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// A JSON object with the function's environment variables; those of this process go first.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Seconds that a step, or one look at all, may take.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=900))]
    pub(crate) timeout: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Labels, versions, ages, and whether a rotation is stuck; asks no target.
    Status(Status),
    /// What a rotation would do now; writes nothing.
    Plan(Of),
    /// Rotates without Lambda, or goes on with a rotation that is half-way.
    Run(Run),
    /// Whether what AWSCURRENT holds logs in; tries once.
    Verify(Of),
    /// Says why a rotation is stuck, and what to do; writes nothing.
    Doctor(Doctor),
    /// Goes on with a stuck rotation, or discards its value where that is safe; asks first.
    Unstick(Unstick),
    /// Sends a rotation event to a function on this machine.
    Invoke(Invoke),
    /// Completions for a shell, to standard output.
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

impl Command {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Plan(_) => "plan",
            Self::Run(_) => "run",
            Self::Verify(_) => "verify",
            Self::Doctor(_) => "doctor",
            Self::Unstick(_) => "unstick",
            Self::Invoke(_) => "invoke",
            Self::Completions { .. } => "completions",
        }
    }
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Status {
    /// Names or ARNs.
    #[arg(required = true, value_name = "SECRET")]
    pub(crate) secrets: Vec<String>,
}

/// One secret, and what rotates it.
#[derive(ClapArgs, Debug)]
pub(crate) struct Of {
    /// Name or ARN.
    pub(crate) secret: String,
    /// What rotates it; without it, what the key `engine` of the secret says.
    #[arg(long, value_enum)]
    pub(crate) rotator: Option<Kind>,
    /// As if rotation were switched on.
    #[arg(long)]
    pub(crate) even_if_disabled: bool,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) of: Of,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) of: Of,
    /// The `ClientRequestToken` of an event that fails: says why that version cannot go on.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) asked: Option<String>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct Unstick {
    #[command(flatten)]
    pub(crate) of: Of,
    /// Does not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Discards the pending version instead of going on with it, if that is safe.
    #[arg(long)]
    pub(crate) discard: bool,
    /// Seconds that a version must be old to be discarded: the time-out of the function at least.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub(crate) min_age: u64,
}

#[derive(ClapArgs, Debug)]
#[command(group = clap::ArgGroup::new("function").required(true))]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct Invoke {
    /// A function's binary: it is started, and gets the event by the Lambda Runtime API.
    #[arg(long, value_name = "PATH", group = "function")]
    pub(crate) binary: Option<PathBuf>,
    /// The address of a function that listens, such as that of `cargo lambda watch`; http:// only.
    #[arg(long, value_name = "URL", group = "function")]
    pub(crate) endpoint: Option<String>,
    /// A file with the event; `-` is standard input.
    #[arg(group = "what", value_name = "EVENT")]
    pub(crate) event: Option<PathBuf>,
    /// createSecret, setSecret, testSecret, finishSecret, or all.
    #[arg(long, group = "what", value_name = "STEP", requires = "secret")]
    pub(crate) step: Option<String>,
    /// With --step: name or ARN.
    #[arg(long)]
    pub(crate) secret: Option<String>,
    /// With --step: the version, 32 to 64 characters; without it, the one that holds AWSPENDING.
    #[arg(long)]
    pub(crate) token: Option<String>,
}
