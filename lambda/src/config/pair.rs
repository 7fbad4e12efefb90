//! What a rotation between two users is told besides.

use std::fmt::Display;

use rotators::mysql::PairSettings;
use rotators::postgres::{self, PairLayout};

use crate::environment::Environment;

/// `ALTERNATE_SUFFIX`: how the second of two users is named, at all servers but PostgreSQL.
pub fn suffix_pair(env: &mut Environment) -> Option<PairSettings> {
    named(env, PairSettings::with_suffix)
}

/// The same for PostgreSQL, whose names have other limits, and `PAIR_LAYOUT`: how a new pair is made.
pub fn postgres_pair(env: &mut Environment) -> Option<postgres::PairSettings> {
    let layouts = [("owner", PairLayout::Owner), ("member", PairLayout::Member)];
    let layout = env.choice("PAIR_LAYOUT", layouts);
    let mut pair = named(env, postgres::PairSettings::with_suffix)?;
    pair.layout = layout;
    Some(pair)
}

fn named<P: Default, E: Display>(
    env: &mut Environment,
    with_suffix: fn(&str) -> Result<P, E>,
) -> Option<P> {
    let Some(suffix) = env.text("ALTERNATE_SUFFIX") else {
        return Some(P::default());
    };
    with_suffix(&suffix)
        .map_err(|fault| env.fault(format!("`ALTERNATE_SUFFIX`: {fault}")))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Strategy, strategy};

    #[test]
    fn a_suffix_is_that_of_awss_functions_or_checked() {
        let read = |value: &'static str| {
            let mut env = Environment::from(move |name: &str| {
                (name == "ALTERNATE_SUFFIX").then(|| value.to_owned())
            });
            let pair = suffix_pair(&mut env);
            env.finish(pair).map_err(|faults| faults.to_string())
        };
        assert_eq!(read(""), Ok(PairSettings::default()));
        let pair = PairSettings::with_suffix("_b").expect("a suffix");
        assert_eq!(read("_b"), Ok(pair));
        let fault = read("sentinel sentinel sentinel").expect_err("too long");
        assert!(fault.starts_with("`ALTERNATE_SUFFIX`: "), "{fault}");
        assert!(!fault.contains("sentinel"));
    }

    #[test]
    fn a_pair_has_the_suffix_of_awss_functions_and_an_owner_role() {
        let read = |variables: &'static [(&str, &str)]| {
            let mut env = Environment::from(|name: &str| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            let (strategy, pair) = (strategy(&mut env), postgres_pair(&mut env));
            env.finish(pair.map(|pair| (strategy, pair)))
        };
        let default = (Strategy::SingleUser, postgres::PairSettings::default());
        assert_eq!(read(&[]), Ok(default.clone()));
        assert_eq!(
            read(&[("PAIR_LAYOUT", ""), ("ALTERNATE_SUFFIX", "")]),
            Ok(default)
        );
        let mut pair = postgres::PairSettings::with_suffix("_b").expect("a suffix");
        pair.layout = PairLayout::Member;
        assert_eq!(
            read(&[
                ("STRATEGY", "alternating_users"),
                ("ALTERNATE_SUFFIX", "_b"),
                ("PAIR_LAYOUT", "member"),
            ]),
            Ok((Strategy::AlternatingUsers, pair))
        );
        let faults = read(&[
            ("STRATEGY", "sentinel"),
            ("PAIR_LAYOUT", "sentinel"),
            (
                "ALTERNATE_SUFFIX",
                "sentinel sentinel sentinel sentinel sentinel",
            ),
        ]);
        assert_eq!(
            faults.expect_err("three faults").to_string(),
            "`STRATEGY` must be single_user or alternating_users; `PAIR_LAYOUT` must be owner or member; \
             `ALTERNATE_SUFFIX`: the suffix of the second user must be 1 to 32 bytes long, without a zero \
             byte; correct the function's environment variables"
        );
    }
}
