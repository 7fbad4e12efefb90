//! docs/errors.md is what the code says.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use lambda::diagnostic::error_types;

const HEAD: &str = "\
# Error types

What a function reports when a step of a rotation fails: Lambda's error type, `error_type` in the log, and the
dimension of the metric `Failures`. The names are stable. A failed step may always be tried again, and Secrets
Manager does so by itself; whatever has happened, `AWSCURRENT` is not moved to a value that was not seen to work.

`advice` says who must act:

| advice | who |
|---|---|
| `retry` | nobody, unless it lasts |
| `fix_secret` | who keeps the secret's value or its rotation |
| `fix_target` | who keeps the database or the provider |
| `fix_permissions` | who keeps the function's role and the keys |
| `fix_configuration` | who deploys the function |
| `report` | the author of the rotator |

| error type | advice | cause | remedy |
|---|---|---|---|
";

const FOOT: &str = "
This page is written by the code: `UPDATE_DOCS=1 cargo test -p lambda --test error_page`.
";

#[test]
fn the_page_of_error_types_is_what_the_code_says() {
    let mut page = HEAD.to_owned();
    for kind in error_types() {
        let (code, advice) = (kind.code, kind.advice.as_str());
        writeln!(
            page,
            "| `{code}` | `{advice}` | {} | {} |",
            kind.cause, kind.remedy
        )
        .expect("a line");
    }
    page.push_str(FOOT);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&file).expect("docs/errors.md");
    assert_eq!(
        written, page,
        "the page is old; run: UPDATE_DOCS=1 cargo test -p lambda --test error_page"
    );
}

#[test]
fn each_type_has_a_name_of_its_own_and_whole_sentences() {
    let mut codes = BTreeSet::new();
    for kind in error_types() {
        assert!(codes.insert(kind.code), "twice: {}", kind.code);
        for text in [kind.cause, kind.remedy] {
            assert!(text.ends_with('.') && !text.contains(['|', '\n']), "{text}");
        }
    }
    assert!(codes.contains("InvalidEvent") && codes.contains("OutOfTime"));
}
