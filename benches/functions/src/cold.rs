//! Cold starts: from exec to the first poll, and to the first answer; memory and size.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::function::{Answer, Function, Program};
use crate::peer::Python;
use crate::settings;
use crate::spread::Spread;
use crate::tls::{self, Endpoint};
use crate::wire;

/// What was measured of one program.
#[derive(Debug)]
pub(crate) struct Cold {
    pub(crate) name: String,
    /// Milliseconds from exec until it asks for its first event.
    pub(crate) poll: Spread,
    /// Milliseconds from its first event until that is answered, a handshake with Secrets Manager in it.
    pub(crate) after: Spread,
    /// Milliseconds from exec until its first event is answered.
    pub(crate) answer: Spread,
    /// Milliseconds of processor time until then.
    pub(crate) cpu: Spread,
    /// The most memory until then, in MB.
    pub(crate) memory: Spread,
    /// MB: as it is, and zipped. Of the Python peer what is packed, which is not boto3.
    pub(crate) size: f64,
    pub(crate) zipped: f64,
    /// What the first event was answered with.
    pub(crate) answered: String,
}

/// Measures each program, in rounds, so that what else the machine does hits all alike.
pub(crate) fn measure(binaries: &[String], rounds: u32) -> Vec<Cold> {
    let endpoint = secrets_manager_without_secrets();
    let python = Python::installed();
    let mut programs: Vec<Program> = binaries
        .iter()
        .map(|name| settings::program(name, &endpoint.url))
        .collect();
    programs.insert(0, settings::hello());
    programs.push(python.program(&endpoint.url, &[]));
    for program in &mut programs {
        let trusted = endpoint.trusted();
        let trusted = trusted.map(|(name, value)| (name.to_owned(), value));
        program.env.extend(trusted);
    }
    let mut measured: Vec<_> = programs.iter().map(|_| [const { Vec::new() }; 5]).collect();
    let mut answered = vec![String::new(); programs.len()];
    // The first round fills the file cache and counts nothing.
    for round in 0..=rounds {
        for (n, program) in programs.iter().enumerate() {
            let mut function = Function::start(program);
            let poll = function.polled();
            let (answer, took, since_start) = function.invoke(&event());
            let memory = function.peak_memory();
            let cpu = function.cpu();
            answered[n] = match answer {
                Answer::Response => "a response".to_owned(),
                Answer::Error(kind) => kind,
            };
            if round > 0 {
                let [polls, afters, answers, times, peaks] = &mut measured[n];
                polls.push(poll.as_secs_f64() * 1e3);
                afters.push(took.as_secs_f64() * 1e3);
                answers.push(since_start.as_secs_f64() * 1e3);
                times.push(cpu.as_secs_f64() * 1e3);
                peaks.push(memory);
            }
        }
    }
    let each = programs.into_iter().zip(measured).zip(answered);
    let each = each.map(|((program, measured), answered)| {
        let [poll, after, answer, cpu, memory] = measured.map(Spread::of);
        let (size, zipped) = match program.command.as_slice() {
            [binary] => package(&[binary]),
            _ => package(&python.packed()),
        };
        Cold {
            name: program.name,
            poll,
            after,
            answer,
            cpu,
            memory,
            size,
            zipped,
            answered,
        }
    });
    each.collect()
}

fn event() -> Value {
    json!({
        "Step": "testSecret",
        "SecretId": "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-a1B2c3",
        "ClientRequestToken": "00000000-0000-0000-0000-000000000001",
    })
}

/// Answers each call at once: so the first answer holds what a function does, and nothing that it waits for.
fn secrets_manager_without_secrets() -> Endpoint {
    let address = wire::serve(|request| {
        let body = r#"{"__type":"ResourceNotFoundException","message":"no such secret"}"#;
        request.reply("400 Bad Request", "", body);
    });
    tls::before(address)
}

/// MB of these files, or folders of files, as they are and zipped.
fn package(paths: &[impl AsRef<Path>]) -> (f64, f64) {
    const ZIP: &str = "
import os, sys, tempfile, zipfile
size = 0
with tempfile.TemporaryFile() as file:
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        for path in sys.argv[1:]:
            files = [os.path.join(d, f) for d, _, fs in os.walk(path) for f in fs] or [path]
            for one in files:
                size += os.path.getsize(one)
                archive.write(one, os.path.relpath(one, os.path.dirname(path)))
    print(size, file.tell())
";
    let paths = paths.iter().map(|path| path.as_ref().as_os_str());
    let output = Command::new("python3")
        .args(["-c", ZIP])
        .args(paths)
        .output();
    let output = output.expect("python3 runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let sizes: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
    match sizes[..] {
        [size, zipped] => (size / 1e6, zipped / 1e6),
        _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// How many of these functions the file system has; a benchmark of none is none.
pub(crate) fn built(binaries: &[String]) -> Vec<String> {
    let there = |name: &&String| fs::metadata(settings::binary(name)).is_ok();
    binaries.iter().filter(there).cloned().collect()
}
