//! A terminal session: the binary below `script` of util-linux, which gives it a pseudo terminal.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::{BINARY, Stage};

const PATIENCE: Duration = Duration::from_mins(1);

pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    seen: String,
}

impl Terminal {
    /// Starts the binary on a terminal.
    pub fn start(stage: &Stage, args: &[&str], env: &[(&str, &str)]) -> Self {
        let line: Vec<_> = [BINARY].iter().chain(args).copied().collect();
        let mut command = Command::new("script");
        command
            // Quiet, with the exit code of the program, and nothing kept.
            .args([
                "--quiet",
                "--return",
                "--flush",
                "--command",
                &line.join(" "),
                "/dev/null",
            ])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm-256color")
            .envs(stage.env())
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let spawned = command.spawn();
        let mut child = spawned.expect("`script` is needed: apt-get install bsdutils");
        let keys = child.stdin.take().expect("piped");
        let screen = child.stdout.take().expect("piped");
        Self {
            child,
            keys,
            screen,
            seen: String::new(),
        }
    }

    /// Reads until the screen has shown that.
    pub async fn expect(&mut self, text: &str) {
        while !self.seen.contains(text) {
            assert!(self.read().await, "no {text:?} in {:?}", self.seen);
        }
    }

    /// Types that.
    pub async fn type_in(&mut self, keys: &str) {
        let typed = self.keys.write_all(keys.as_bytes()).await;
        typed.expect("the session is open");
        self.keys.flush().await.expect("the session is open");
    }

    /// All that was shown, and the exit code.
    pub async fn end(mut self) -> (String, i32) {
        while self.read().await {}
        let status = timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("it ends").expect("a status");
        (self.seen, status.code().unwrap_or(-1))
    }

    async fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = timeout(PATIENCE, self.screen.read(&mut buffer)).await;
        let read = read.unwrap_or_else(|_| panic!("nothing more comes after {:?}", self.seen));
        let length = read.unwrap_or(0);
        self.seen
            .push_str(&String::from_utf8_lossy(&buffer[..length]));
        length > 0
    }
}
