//! Whether two users may do the same, and what makes one like the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::portrait::{Attributes, Portrait};
use super::right::{Change, Object, Right};
use crate::postgres_wire::{Ident, Literal, Sql, setting};

/// What two users may not do alike: kinds, with how many rights one of them has alone, and the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference(BTreeMap<&'static str, [usize; 2]>);

impl Difference {
    pub(super) fn between(one: &Portrait, two: &Portrait) -> Self {
        let mut found = Self::default();
        for (nth, (mine, other)) in [(one, two), (two, one)].into_iter().enumerate() {
            let alone = mine.granted.iter().filter(|(right, option)| {
                !other.owns(right) && other.granted.get(right) < Some(option)
            });
            let alone = alone.map(|(right, _)| right);
            let not_shared = mine.owned.iter();
            let not_shared =
                not_shared.filter(|right| !other.owns(right) && !other.granted.contains_key(right));
            for right in alone.chain(not_shared) {
                found.0.entry(right.object.kind()).or_default()[nth] += 1;
            }
        }
        for (is_other, kind) in [
            (one.attributes != two.attributes, "attributes"),
            (one.settings != two.settings, "settings (ALTER USER .. SET)"),
            (
                one.policies != two.policies,
                "row security and masking policies",
            ),
        ] {
            if is_other {
                found.0.insert(kind, [0, 0]);
            }
        }
        found
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

/// Kinds and numbers, no names of objects.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (kind, [one, two])) in self.0.iter().enumerate() {
            let comma = if nth == 0 { "" } else { ", " };
            write!(f, "{comma}{kind}")?;
            if one + two > 0 {
                write!(
                    f,
                    " (rights of the one alone: {one}, of the other alone: {two})"
                )?;
            }
        }
        Ok(())
    }
}

/// A statement, and what it is about.
pub(super) type Step = (&'static str, Sql);

impl Portrait {
    /// Whether what this right is on is the user's own: then it may do anything with it.
    fn owns(&self, right: &Right) -> bool {
        self.owned.iter().any(|owned| owned.object == right.object)
    }

    /// What gives `user`, which is `present` now, the rights of this one, and takes all others. What either
    /// owns, both may use: so this one, `model`, gets rights, too.
    pub(super) fn steps(&self, model: &str, user: &str, present: &Self) -> Vec<Step> {
        let mut steps = self.attributes.steps(user, &present.attributes);
        for (name, value) in &self.settings {
            if present.settings.get(name) != Some(value) {
                let sql = Sql::new("ALTER USER ").ident(Ident(user)).text(" SET ");
                let quote = |sql: Sql, value: Literal<'_>| sql.escaped(value);
                steps.push(("settings", setting::assign(sql, name, value, quote)));
            }
        }
        for name in present.settings.keys() {
            if !self.settings.contains_key(name) {
                let sql = Sql::new("ALTER USER ").ident(Ident(user)).text(" RESET ");
                steps.push(("settings", setting::named(sql, name)));
            }
        }
        let mut changes = Changes::default();
        for (right, option) in &present.granted {
            match self.granted.get(right) {
                _ if self.owns(right) => {}
                None => changes.add(Change::Revoke, right, user),
                Some(false) if *option => changes.add(Change::RevokeOption, right, user),
                Some(_) => {}
            }
        }
        for (right, option) in &self.granted {
            if present.owns(right) || present.granted.get(right) >= Some(option) {
                continue;
            }
            let change = if *option {
                Change::GrantWithOption
            } else {
                Change::Grant
            };
            changes.add(change, right, user);
        }
        for (owner, other, who) in [(self, present, user), (present, self, model)] {
            for right in &owner.owned {
                if !other.owns(right) && !other.granted.contains_key(right) {
                    changes.add(Change::Grant, right, who);
                }
            }
        }
        steps.extend(changes.steps());
        steps
    }
}

impl Attributes {
    /// All but whether the user is a superuser.
    fn steps(&self, user: &str, present: &Self) -> Vec<Step> {
        let alter = || Sql::new("ALTER USER ").ident(Ident(user));
        let mut steps = Vec::new();
        let mut add = |sql| steps.push(("attributes", sql));
        if self.createdb != present.createdb {
            add(alter().text(if self.createdb {
                " CREATEDB"
            } else {
                " NOCREATEDB"
            }));
        }
        if self.sees_all != present.sees_all {
            let access = if self.sees_all {
                "UNRESTRICTED"
            } else {
                "RESTRICTED"
            };
            add(alter().text(" SYSLOG ACCESS ").text(access));
        }
        if self.connection_limit != present.connection_limit {
            let alter = alter().text(" CONNECTION LIMIT ");
            add(match self.connection_limit {
                Some(limit) => alter.number(limit),
                None => alter.text("UNLIMITED"),
            });
        }
        if self.session_timeout != present.session_timeout {
            add(match self.session_timeout {
                0 => alter().text(" RESET SESSION TIMEOUT"),
                seconds => alter().text(" SESSION TIMEOUT ").number(seconds),
            });
        }
        steps
    }
}

/// Changes of rights; those on one thing become one statement.
#[derive(Default)]
struct Changes<'r>(Vec<(Change, &'r Object, BTreeSet<&'static str>, &'r str)>);

impl<'r> Changes<'r> {
    fn add(&mut self, change: Change, right: &'r Right, user: &'r str) {
        match self.0.last_mut() {
            Some((last, object, words, who))
                if *last == change && *object == &right.object && *who == user =>
            {
                words.insert(right.word);
            }
            _ => {
                let words = BTreeSet::from([right.word]);
                self.0.push((change, &right.object, words, user));
            }
        }
    }

    fn steps(self) -> impl Iterator<Item = Step> {
        self.0
            .into_iter()
            .flat_map(|(change, object, words, user)| {
                let words: Vec<_> = words.into_iter().collect();
                let changes = object.change(change, &words, user);
                changes.into_iter().map(|sql| (object.kind(), sql))
            })
    }
}
