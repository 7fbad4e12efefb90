//! The table on the README's first screen.

/// The text with what stands between the marks replaced.
pub(crate) fn between_marks(text: &str, table: &str) -> Result<String, String> {
    const BEGIN: &str = "<!-- written by benches/run --update-readme -->\n";
    const END: &str = "<!-- until here -->";
    let (before, rest) = text
        .split_once(BEGIN)
        .ok_or("the README has no place for the table")?;
    let (_, after) = rest
        .split_once(END)
        .ok_or("the README's table has no end")?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::settings::root;

    #[test]
    fn the_table_replaces_what_stood_between_the_marks() {
        let text =
            "a\n<!-- written by benches/run --update-readme -->\nold\n<!-- until here -->\nb\n";
        let new = between_marks(text, "new\n").expect("marks");
        assert_eq!(new, text.replace("old", "new"));
        assert!(between_marks("no marks", "new").is_err());
        let readme = fs::read_to_string(root().join("README.md")).expect("a README");
        assert!(
            between_marks(&readme, "").is_ok(),
            "the README has the marks"
        );
    }
}
