//! The client beside `aws_secretsmanager_caching`, over one stand-in of the service on loopback, in one run.
//!
//! Both get the same SDK client, so what differs is what is built on it. Without arguments it prints the whole
//! table. The other arguments are for the processes that it starts itself: one that does nothing but read, for
//! valgrind, and one that counts copies in its memory.

mod clients;
#[path = "../../../secrets-core/tests/support/copies.rs"]
mod copies;
mod crowd;
mod memory;
#[path = "../../../secrets-core/tests/support/service.rs"]
mod service;
mod spread;
mod timing;
mod valgrind;

use std::env;

use spread::Spread;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => table(),
        ["read", kind, reads] => valgrind::read(kind, reads.parse().expect("a number")),
        ["copies", whose] => memory::print(whose),
        _ => panic!("arguments: none"),
    }
}

/// Columns: what, theirs, ours, the ratio of the medians.
fn row(what: &str, theirs: &Spread, ours: &Spread, unit: &str) {
    let ratio = match (theirs.median(), ours.median()) {
        (_, 0.0) => "-".to_owned(),
        (theirs, ours) => format!("{:.1}", theirs / ours),
    };
    println!("| {what} | {theirs}{unit} | {ours}{unit} | {ratio} |");
}

fn table() {
    println!("| what | aws_secretsmanager_caching 2.1.0 | this client | ratio |");
    println!("|---|---|---|---|");
    let reads = timing::reads();
    row(
        "a read through a handle",
        &reads.theirs,
        &reads.handle,
        " ns",
    );
    row("a read by name", &reads.theirs, &reads.get_secret, " ns");
    match valgrind::counts() {
        Ok(counts) => {
            for (what, theirs, ours) in counts {
                row(&what, &Spread::of([theirs]), &Spread::of([ours]), "");
            }
        }
        Err(why) => eprintln!("no instructions and allocations: {why}"),
    }
    let scaling = timing::scaling();
    println!(
        "| reads of two threads to reads of one: handle | {:.2} | {:.2} | |",
        scaling.theirs, scaling.handle
    );
    println!(
        "| the same by name | {:.2} | {:.2} | |",
        scaling.theirs, scaling.get_secret
    );
    println!(
        "| the same for a loop that shares nothing: what this machine can give | {0:.2} | {0:.2} | |",
        scaling.nothing
    );
    crowd::rows();
    let (theirs, ours) = (memory::measure("theirs"), memory::measure("ours"));
    row(
        "copies of the secret in memory, in use",
        &theirs.live,
        &ours.live,
        "",
    );
    row(
        "the same, after everything is dropped",
        &theirs.after,
        &ours.after,
        "",
    );
}
