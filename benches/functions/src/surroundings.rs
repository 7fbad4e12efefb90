//! On what it was measured.

use std::fs;
use std::process::Command;

use crate::settings::root;

/// Machine, date and versions: a list.
pub(crate) fn surroundings() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cpu = cpu
        .map_or("an unknown processor", |(_, name)| name)
        .to_owned();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let python = root().join("target/bench-python/bin/python");
    let python = python.display().to_string();
    let packages = "import boto3, psycopg2; print('boto3', boto3.__version__ + ', psycopg2', psycopg2.__version__)";
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    [
        format!("- {processors} processors: {cpu}"),
        format!(
            "- {}, load {}",
            said("uname", &["-sr"]),
            load.split(' ').next().unwrap_or("?")
        ),
        format!(
            "- {}, commit {}",
            said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            said("git", &["describe", "--always", "--dirty"])
        ),
        format!(
            "- {}; {}, {}\n",
            said("rustc", &["--version"]),
            said(&python, &["--version"]),
            said(&python, &["-c", packages])
        ),
    ]
    .join("\n")
}

/// The first line that a command prints.
fn said(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command)
        .args(arguments)
        .current_dir(root())
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default()
        .lines()
        .next()
        .unwrap_or("?")
        .to_owned()
}
