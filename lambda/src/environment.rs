//! Environment variables, read once, with all faults reported together.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::str::FromStr;

type Lookup = Box<dyn Fn(&str) -> Option<String>>;

/// Reads environment variables and remembers every fault.
///
/// Each reader gives a usable value also where it found a fault; [`Environment::finish`] is where
/// faults end the configuration. So one deployment shows all that has to be corrected.
///
/// ```
/// use lambda::environment::Environment;
///
/// let mut env = Environment::from(|name: &str| match name {
///     "RETRIES" => Some("many".to_owned()),
///     "VERBOSE" => Some("maybe".to_owned()),
///     _ => None,
/// });
/// let (retries, verbose) = (env.number("RETRIES", 3, 1..=9), env.flag("VERBOSE", false));
/// assert_eq!((retries, verbose), (3, false));
/// assert_eq!(
///     env.finish(Some(())).unwrap_err().to_string(),
///     "`RETRIES` must be a whole number from 1 to 9; `VERBOSE` must be true or false; correct the \
///      function's environment variables"
/// );
/// ```
pub struct Environment {
    get: Lookup,
    faults: Vec<String>,
}

/// All that is wrong with the settings of the function. It holds names and rules, no values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidConfiguration(Vec<String>);

impl InvalidConfiguration {
    /// Each fault: a sentence that names the variable.
    pub fn faults(&self) -> &[String] {
        &self.0
    }
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self::from(|name: &str| std::env::var(name).ok())
    }

    /// Notes a fault: a sentence that names the variable. One that was noted before is not told twice.
    pub fn fault(&mut self, fault: impl Into<String>) {
        let fault = fault.into();
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// The text of a variable; an empty one counts as absent, as templates pass empty parameters on.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.is_empty())
    }

    /// The text of a variable that must be there; empty where it is not.
    pub fn required(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.fault(format!("`{name}` is missing"));
            String::new()
        })
    }

    /// A yes or no, in the words that AWS's functions take: true, 1, y, yes; false, 0, n, no.
    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        let Some(word) = self.text(name) else {
            return default;
        };
        match word.to_ascii_lowercase().as_str() {
            "true" | "1" | "y" | "yes" => true,
            "false" | "0" | "n" | "no" => false,
            _ => {
                self.fault(format!("`{name}` must be true or false"));
                default
            }
        }
    }

    /// A whole number within a range.
    pub fn number<T>(&mut self, name: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(digits) = self.text(name) else {
            return default;
        };
        match digits.trim().parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (least, most) = (range.start(), range.end());
                self.fault(format!(
                    "`{name}` must be a whole number from {least} to {most}"
                ));
                default
            }
        }
    }

    /// One of a few words, the first being the default.
    pub fn choice<T: Copy, const N: usize>(&mut self, name: &str, choices: [(&str, T); N]) -> T {
        const { assert!(N > 0, "a choice needs something to choose from") };
        let found = match self.text(name) {
            None => Some(choices[0].1),
            Some(word) => choices
                .iter()
                .find(|(name, _)| *name == word)
                .map(|(_, value)| *value),
        };
        found.unwrap_or_else(|| {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            self.fault(format!("`{name}` must be {}", words.join(" or ")));
            choices[0].1
        })
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All faults that were found.
    pub fn finish<T>(mut self, configured: Option<T>) -> Result<T, InvalidConfiguration> {
        if configured.is_none() && self.faults.is_empty() {
            self.fault("the rotator could not be configured");
        }
        match configured {
            Some(configured) if self.faults.is_empty() => Ok(configured),
            _ => Err(InvalidConfiguration(self.faults)),
        }
    }
}

impl<F: Fn(&str) -> Option<String> + 'static> From<F> for Environment {
    fn from(get: F) -> Self {
        Self {
            get: Box::new(get),
            faults: Vec::new(),
        }
    }
}

impl fmt::Display for InvalidConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.0 {
            write!(f, "{fault}; ")?;
        }
        f.write_str("correct the function's environment variables")
    }
}

impl std::error::Error for InvalidConfiguration {}
