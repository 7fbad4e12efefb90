//! What came out, held against what was declared.

use std::fmt;

use super::SENTENCES;
use super::case::Held;

/// A sentence that an emulator is known not to hold to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// Which one, by its name in [`SENTENCES`].
    pub sentence: &'static str,
    /// What is seen instead: a part of what the report says, so that this does not hide another fault.
    pub seen: &'static str,
}

/// Every sentence that came out otherwise than declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractBroken(Vec<(String, String)>);

impl ContractBroken {
    /// The names of those sentences, in their order.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(sentence, _)| sentence.as_str())
    }
}

impl fmt::Display for ContractBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the store contract does not hold in {} of {} sentences; mend the store, or declare what \
             an emulator does otherwise:",
            self.0.len(),
            SENTENCES.len()
        )?;
        for (sentence, seen) in &self.0 {
            write!(f, "\n- {sentence}: {seen}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ContractBroken {}

pub(super) fn judge(
    results: Vec<(&'static str, Held)>,
    deviations: &[Deviation],
) -> Result<(), ContractBroken> {
    let mut broken = Vec::new();
    for (sentence, held) in results {
        let declared = deviations
            .iter()
            .find(|deviation| deviation.sentence == sentence)
            .map(|deviation| deviation.seen);
        let fault = match (held, declared) {
            (Ok(()), None) => continue,
            (Err(seen), Some(declared)) if seen.as_str().contains(declared) => continue,
            (Err(seen), None) => seen.as_str().to_owned(),
            (Err(seen), Some(declared)) => format!(
                "deviates, but not as declared (`{declared}`): {}",
                seen.as_str()
            ),
            (Ok(()), Some(declared)) => {
                format!("holds; remove the declared deviation (`{declared}`)")
            }
        };
        broken.push((sentence.to_owned(), fault));
    }
    for deviation in deviations {
        if !SENTENCES.contains(&deviation.sentence) {
            let fault = "is no sentence of the contract; correct the declared deviation";
            broken.push((deviation.sentence.to_owned(), fault.to_owned()));
        }
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(ContractBroken(broken))
    }
}
