//! The `# Behavior` lists of the store's traits, in the words of the suite.

use std::collections::BTreeSet;

/// Every line of the lists. Those of a method start with its name.
pub(crate) fn sentences() -> BTreeSet<String> {
    let mut sentences = BTreeSet::new();
    let (mut in_list, mut bullets) = (false, Vec::<String>::new());
    for line in include_str!("../../src/store/mod.rs").lines() {
        let Some(text) = line.trim().strip_prefix("///").map(str::trim) else {
            // The item that the comment belongs to.
            let method = line.trim().strip_prefix("fn ");
            let method = method.and_then(|rest| rest.split('(').next());
            let subject = method.map(|name| format!("{name} ")).unwrap_or_default();
            sentences.extend(bullets.drain(..).map(|it| name(&format!("{subject}{it}"))));
            in_list = false;
            continue;
        };
        match (text.strip_prefix("- "), bullets.last_mut()) {
            _ if text == "# Behavior" => in_list = true,
            (Some(bullet), _) if in_list => bullets.push(bullet.to_owned()),
            (None, Some(bullet)) if in_list && !text.is_empty() => {
                bullet.push(' ');
                bullet.push_str(text);
            }
            // An empty line ends a list, not the space before it.
            (None, Some(_)) => in_list = false,
            _ => {}
        }
    }
    sentences
}

/// ``[`Kind::NotFound`] is not: why.`` is `not_found_is_not`.
fn name(sentence: &str) -> String {
    let end = sentence.find([';', '.']).unwrap_or(sentence.len());
    let sentence = sentence[..end].replace("::", "/");
    let sentence = sentence.split(':').next().unwrap_or_default();
    let words = sentence.split(' ').map(|word| {
        let mut name = String::new();
        for letter in word.rsplit('/').next().unwrap_or_default().chars() {
            let after_lower = name.ends_with(|last: char| last.is_ascii_lowercase());
            if letter.is_ascii_uppercase() && after_lower {
                name.push('_');
            }
            if letter.is_ascii_alphanumeric() || letter == '_' {
                name.push(letter);
            }
        }
        name
    });
    let name = words.collect::<Vec<_>>().join("_");
    name.to_ascii_lowercase()
}
