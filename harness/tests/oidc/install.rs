//! What `./test --setup` installs.

use std::path::Path;

use serde_json::Value;

fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("oidc")
        .join(file);
    let text = std::fs::read_to_string(path).expect("it is committed");
    serde_json::from_str(&text).expect("JSON")
}

/// `harness::oidc` describes one version: with another one its sentences have to be read again.
#[test]
fn the_documented_version_is_installed() {
    let version = &read("package.json")["dependencies"]["oidc-provider"];
    let documentation = include_str!("../../src/oidc/mod.rs");
    let version = version.as_str().expect("a version");
    assert!(documentation.contains(&format!("[oidc-provider] {version} ")));
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/oidc-provider");
    let installed = tools.join("node_modules/oidc-provider/package.json");
    let installed = std::fs::read_to_string(installed).expect("run `./test --setup`");
    let installed: Value = serde_json::from_str(&installed).expect("JSON");
    assert_eq!(installed["version"], version);
}

#[test]
fn every_package_is_pinned_by_its_hash_and_none_to_a_private_registry() {
    let manifest = read("package.json");
    for group in ["dependencies", "optionalDependencies"] {
        let packages = manifest[group].as_object().expect("an object");
        for (name, version) in packages {
            let version = version.as_str().expect("a version");
            let exact = version.starts_with(|first: char| first.is_ascii_digit());
            assert!(exact, "{name} {version}");
        }
    }
    let lock = read("package-lock.json");
    let packages = lock["packages"].as_object().expect("an object");
    assert!(packages.len() > 2);
    for (folder, package) in packages.iter().filter(|(folder, _)| !folder.is_empty()) {
        let hash = package["integrity"].as_str().unwrap_or_default();
        assert!(hash.starts_with("sha512-"), "{folder}");
        if let Some(source) = package["resolved"].as_str() {
            assert!(
                source.starts_with("https://registry.npmjs.org/"),
                "{source}"
            );
        }
    }
}
