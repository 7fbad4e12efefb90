//! One process of a function under a Lambda Runtime API of its own, and what it has used.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::wire::{self, Request};

/// No step and no start takes as long; a function that does is stuck.
const PATIENCE: Duration = Duration::from_mins(1);

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: String,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
}

/// How an invocation ended.
#[derive(Debug)]
pub(crate) enum Answer {
    Response,
    /// The type that was reported.
    Error(String),
}

/// A started process. It is killed on drop.
#[derive(Debug)]
pub(crate) struct Function {
    child: Child,
    started: Instant,
    requests: Receiver<(Instant, Request)>,
    /// Where it asks for the next event.
    poll: Option<Request>,
    log: tempfile::NamedTempFile,
}

impl Function {
    /// Starts the process; it has not yet asked for an event.
    pub(crate) fn start(program: &Program) -> Self {
        let (sender, requests) = mpsc::channel();
        let api = wire::serve(move |request| {
            // Fails when the function of this API is no more.
            let _ = sender.send((Instant::now(), request));
        });
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let output = || Stdio::from(log.reopen().expect("the file is there"));
        let mut command = Command::new(&program.command[0]);
        command
            .args(&program.command[1..])
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
            .envs(SERVICE_ENV.iter().copied())
            .envs(program.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output());
        let started = Instant::now();
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("{} cannot be run: {error}", program.command[0]);
        });
        Self {
            child,
            started,
            requests,
            poll: None,
            log,
        }
    }

    /// Waits until it asks for an event: how long after its start that was.
    pub(crate) fn polled(&mut self) -> Duration {
        let (at, request) = self.next();
        assert!(request.line.ends_with("/invocation/next"), "{request:?}");
        self.poll = Some(request);
        at - self.started
    }

    /// Sends an event to a process that has asked for it: how it ended, how long it took, and how long after
    /// the start of the process that was.
    pub(crate) fn invoke(&mut self, event: &Value) -> (Answer, Duration, Duration) {
        if self.poll.is_none() {
            self.polled();
        }
        let poll = self.poll.take().expect("it has polled");
        let deadline = SystemTime::now() + PATIENCE;
        let deadline = deadline.duration_since(UNIX_EPOCH).expect("after 1970");
        let headers = format!(
            "lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
             lambda-runtime-deadline-ms: {}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:f\r\n\
             lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0\r\n",
            deadline.as_millis()
        );
        let sent = Instant::now();
        poll.reply("200 OK", &headers, &event.to_string());
        let (at, request) = self.next();
        let answer = if request.line.ends_with("/response") {
            Answer::Response
        } else {
            let report: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            Answer::Error(report["errorType"].as_str().unwrap_or("?").to_owned())
        };
        request.reply("202 Accepted", "", r#"{"status":"OK"}"#);
        (answer, at - sent, at - self.started)
    }

    /// Sends an event that must be answered without an error; else the benchmark ends with the log.
    pub(crate) fn succeed(&mut self, event: &Value) -> (Duration, Duration) {
        match self.invoke(event) {
            (Answer::Response, took, since_start) => (took, since_start),
            (Answer::Error(kind), ..) => panic!("{event}: {kind}\n{}", self.logged()),
        }
    }

    /// What its threads have used of the processors so far.
    pub(crate) fn cpu(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let threads = threads.expect("the process runs").flatten();
        let used = threads.filter_map(|thread| {
            let times = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            times.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(used.sum())
    }

    /// The most memory that it has held at a time, in MB.
    pub(crate) fn peak_memory(&self) -> f64 {
        peak_memory_of(&self.child.id().to_string())
    }

    fn next(&mut self) -> (Instant, Request) {
        let request = self.requests.recv_timeout(PATIENCE);
        request.unwrap_or_else(|_| panic!("no request in time\n{}", self.logged()))
    }

    fn logged(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap_or_default()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most memory that a process has held at a time, in MB: `VmHWM` of its status. `self` is this one.
pub(crate) fn peak_memory_of(process: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.expect("Linux tells it") * 1024.0 / 1e6
}

/// What the service sets for every function, as far as one of them looks at it.
const SERVICE_ENV: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "example-secret-access-key"),
    ("AWS_SESSION_TOKEN", "example-session-token"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_LAMBDA_FUNCTION_NAME", "f"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0"),
    ("LANG", "en_US.UTF-8"),
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("TZ", ":UTC"),
    ("_HANDLER", "bootstrap"),
];
