//! The Rust of `README.md` and `docs/*.md`: each block stands in a file that is compiled, line by line. Those of
//! programs stand in the programs; the others here, in functions that nobody calls.

#![allow(
    dead_code,
    reason = "to be compiled is all that the other files are for; what they do needs AWS"
)]

mod client;
mod pools;
mod rotator;

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where the lines of a page may stand.
const COMPILED: [&str; 3] = [
    "examples/snippets",
    "examples/write_a_rotator",
    "lambda/src/bin",
];

#[test]
fn every_block_of_rust_in_the_pages_is_compiled() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    for folder in COMPILED {
        for file in files(&root.join(folder), "rs")? {
            sources.push(lines(&fs::read_to_string(file)?));
        }
    }
    let mut pages = files(&root.join("docs"), "md")?;
    pages.push(root.join("README.md"));
    let (mut seen, mut missing) = (0, Vec::new());
    for page in pages {
        for block in blocks(&fs::read_to_string(&page)?) {
            seen += 1;
            let stands =
                |source: &Vec<String>| source.windows(block.len()).any(|part| part == block);
            if !sources.iter().any(stands) {
                missing.push(format!("{}: {}", page.display(), block.join("\n")));
            }
        }
    }
    assert!(
        seen > 10,
        "the pages have {seen} blocks only: are they read?"
    );
    assert!(missing.is_empty(), "not compiled anywhere: {missing:#?}");
    Ok(())
}

fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let wanted = |path: &PathBuf| path.extension().is_some_and(|found| found == extension);
    paths
        .filter(|path| path.as_ref().map_or(true, wanted))
        .collect()
}

/// The blocks that begin with ```` ```rust ````.
fn blocks(page: &str) -> Vec<Vec<String>> {
    let parts = page.split("\n```rust\n").skip(1);
    parts
        .filter_map(|part| Some(lines(part.split_once("\n```")?.0)))
        .collect()
}

/// Without what a page may have otherwise: indentation, comments at the end, the spaces before them, empty lines.
fn lines(text: &str) -> Vec<String> {
    let bare = |line: &str| {
        line.split(" //")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let lines = text.lines().map(bare);
    lines.filter(|line| !line.is_empty()).collect()
}
