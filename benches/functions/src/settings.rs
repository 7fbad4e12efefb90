//! Where the built functions are, and what each is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::function::Program;

/// The repository's root folder.
pub(crate) fn root() -> &'static Path {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder
        .ancestors()
        .nth(2)
        .expect("two folders below the root")
}

/// The names of the functions, as `cargo metadata` has them: so new ones are measured without a word here.
pub(crate) fn functions() -> Vec<String> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let lambda = packages.filter(|package| package["name"] == "lambda");
    let targets = lambda.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let binaries = targets.filter(|target| target["kind"][0] == "bin");
    let mut names: Vec<_> = binaries
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn metadata() -> Value {
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output();
    let output = output.expect("cargo is there");
    serde_json::from_slice(&output.stdout).expect("cargo metadata tells JSON")
}

/// A built release binary.
pub(crate) fn binary(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root().join("target"), PathBuf::from);
    target.join("release").join(name)
}

/// A function with the variables that `environment.json` has for it; a new one without an entry starts, too,
/// and says then what it misses.
pub(crate) fn program(name: &str, secrets_manager: &str) -> Program {
    let file = root().join("benches/functions/environment.json");
    let all = fs::read(&file).expect("the file is there");
    let all: Value = serde_json::from_slice(&all).expect("JSON");
    let own = all[name].as_object().into_iter().flatten();
    let mut env: Vec<_> = own
        .map(|(variable, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (variable.clone(), text)
        })
        .collect();
    env.push((
        "SECRETS_MANAGER_ENDPOINT".to_owned(),
        secrets_manager.to_owned(),
    ));
    Program {
        name: name.to_owned(),
        command: vec![binary(name).display().to_string()],
        env,
    }
}

/// `lambda_runtime` and nothing else.
pub(crate) fn hello() -> Program {
    Program {
        name: "hello-function".to_owned(),
        command: vec![binary("hello-function").display().to_string()],
        env: Vec::new(),
    }
}
