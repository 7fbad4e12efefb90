//! Copies of a secret in memory, each time in a process of its own.

use std::env;
use std::process::Command;

use crate::clients::{LONG, Login, ours, theirs};
use crate::copies::{Search, secret};
use crate::service::{ID, Service};
use crate::spread::Spread;

const RUNS: u32 = 9;

pub(crate) struct Copies {
    pub(crate) live: Spread,
    pub(crate) after: Spread,
}

pub(crate) fn measure(whose: &str) -> Copies {
    let binary = env::current_exe().expect("this program");
    let (mut live, mut after) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let run = Command::new(&binary).args(["copies", whose]).output();
        let run = run.expect("a child");
        let out = String::from_utf8_lossy(&run.stdout);
        let mut numbers = out.split_whitespace().map(str::parse);
        let mut next = || numbers.next().expect("two numbers").expect("a number");
        live.push(next());
        after.push(next());
    }
    Copies {
        live: Spread::of(live),
        after: Spread::of(after),
    }
}

/// One read, with what an application has in its hand; then nothing of it.
pub(crate) fn print(whose: &str) {
    let mut search = Search::new();
    let service = Service::start(secret);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    let live = runtime.block_on(async {
        if whose == "theirs" {
            let client = theirs(&service, LONG);
            let read = client.get_secret_value(ID, None, None, false).await;
            let _value = read.expect("a secret");
            search.copies()
        } else {
            let client = ours(&service, LONG);
            let login = client.secret::<Login>(ID).await.expect("a login");
            let _value = login.current().expect("a login");
            search.copies()
        }
    });
    // With it go the connections.
    drop(runtime);
    println!("{live} {}", search.copies());
}
