//! Which keys of a user go before the next one is made. Pure: no request is sent here.

use std::time::{Duration, SystemTime};

use secrets_core::rotator::RotatorError;

/// IAM's quota for access keys of a user, which cannot be raised.
const MOST: usize = 2;

/// How far IAM's clock, whose dates have whole seconds, may be behind that of the rotator.
const SKEW: Duration = Duration::from_mins(1);

/// A key as IAM lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) active: bool,
    pub(super) created: Option<SystemTime>,
}

/// What is to be done before the next key is made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Ids of the keys to delete.
    pub(super) delete: Vec<String>,
    /// What the next secret names as its previous key.
    pub(super) previous: Option<String>,
}

/// Keys that only an earlier try of this rotation can have made, if they were never used.
pub(super) fn suspects<'k>(
    keys: &'k [Listed],
    current: &str,
    previous: Option<&str>,
    tried_since: Option<SystemTime>,
) -> Vec<&'k str> {
    let Some(tried_since) = tried_since else {
        return Vec::new();
    };
    let since = tried_since.checked_sub(SKEW).unwrap_or(tried_since);
    keys.iter()
        .filter(|key| key.id != current && Some(key.id.as_str()) != previous)
        .filter(|key| key.active && key.created.is_some_and(|created| created >= since))
        .map(|key| key.id.as_str())
        .collect()
}

/// Deletes orphans, and the previous key where its place is needed; never the current one.
///
/// # Errors
/// [`RotatorError::misconfigured`] where a key of somebody else's takes the place of the next one. Nothing is
/// to be deleted then.
pub(super) fn plan(
    keys: &[Listed],
    current: &str,
    previous: Option<&str>,
    orphans: &[&str],
    user: &str,
) -> Result<Plan, RotatorError> {
    let is_current = |key: &&Listed| key.id == current;
    let is_previous =
        |key: &&Listed| !is_current(key) && previous.is_some_and(|previous| key.id == previous);
    let is_orphan =
        |key: &&Listed| !is_current(key) && !is_previous(key) && orphans.contains(&key.id.as_str());
    let has_current = keys.iter().any(|key| is_current(&key));
    let mut delete: Vec<String> = keys
        .iter()
        .filter(is_orphan)
        .map(|key| key.id.clone())
        .collect();
    let mut kept: Vec<&Listed> = keys.iter().filter(|key| !is_orphan(key)).collect();
    if kept.len() >= MOST
        && let Some(at) = kept.iter().position(&is_previous)
    {
        delete.push(kept.remove(at).id.clone());
    }
    if kept.len() >= MOST {
        return Err(in_the_way(
            kept.into_iter().find(|key| !is_current(key)),
            user,
        ));
    }
    let remaining = kept.iter().find(|key| is_previous(key));
    let remaining = remaining.map(|key| key.id.clone());
    Ok(Plan {
        delete,
        previous: if has_current {
            Some(current.to_owned())
        } else {
            remaining
        },
    })
}

fn in_the_way(foreign: Option<&Listed>, user: &str) -> RotatorError {
    let id = foreign.map_or("", |key| key.id.as_str());
    let state = match foreign {
        Some(Listed { active: false, .. }) => "inactive ",
        _ => "",
    };
    RotatorError::misconfigured(format!(
        "{user} has two access keys, and the rotator did not make the {state}key {id}; nothing was changed. \
         Who owns it has to move to a user of their own; if nobody uses it (`aws iam \
         get-access-key-last-used`), delete it, then rotate again"
    ))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const BEGAN: u64 = 1_000_000;

    /// A key that was made that many seconds after the try began.
    fn key(id: &str, after: i64) -> Listed {
        let created = UNIX_EPOCH + Duration::from_secs(BEGAN.saturating_add_signed(after));
        Listed {
            id: id.to_owned(),
            active: true,
            created: Some(created),
        }
    }

    fn planned(keys: &[&str], previous: Option<&str>, orphans: &[&str]) -> Option<Plan> {
        let keys: Vec<_> = keys.iter().map(|id| key(id, 0)).collect();
        plan(&keys, "current", previous, orphans, "app").ok()
    }

    fn to(delete: &[&str], previous: Option<&str>) -> Plan {
        Plan {
            delete: delete.iter().map(|id| (*id).to_owned()).collect(),
            previous: previous.map(str::to_owned),
        }
    }

    #[test]
    fn the_previous_key_makes_room_and_nothing_else_does() {
        let current = Some("current");
        assert_eq!(planned(&["current"], None, &[]), Some(to(&[], current)));
        assert_eq!(
            planned(&["current"], Some("old"), &[]),
            Some(to(&[], current))
        );
        assert_eq!(
            planned(&["old", "current"], Some("old"), &[]),
            Some(to(&["old"], current))
        );
        assert_eq!(planned(&["current", "other"], Some("old"), &[]), None);
        assert_eq!(planned(&["current", "other"], None, &[]), None);
    }

    #[test]
    fn the_current_key_is_never_deleted_whatever_the_secret_says() {
        assert_eq!(
            planned(&["current"], Some("current"), &["current"]),
            Some(to(&[], Some("current")))
        );
        assert_eq!(
            planned(&["current", "other"], Some("current"), &["current"]),
            None
        );
    }

    #[test]
    fn where_there_is_room_the_previous_key_stays_and_is_remembered() {
        assert_eq!(
            planned(&["old"], Some("old"), &[]),
            Some(to(&[], Some("old")))
        );
        assert_eq!(planned(&["other"], Some("old"), &[]), Some(to(&[], None)));
        assert_eq!(
            planned(&["other", "old"], Some("old"), &[]),
            Some(to(&["old"], None))
        );
        assert_eq!(planned(&["one", "two"], Some("old"), &[]), None);
        assert_eq!(planned(&[], None, &[]), Some(to(&[], None)));
    }

    #[test]
    fn an_orphan_goes_and_the_previous_key_with_it_only_where_it_is_in_the_way() {
        assert_eq!(
            planned(&["current", "lost"], Some("old"), &["lost"]),
            Some(to(&["lost"], Some("current")))
        );
        assert_eq!(
            planned(&["old", "lost"], Some("old"), &["lost"]),
            Some(to(&["lost"], Some("old")))
        );
    }

    #[test]
    fn only_what_was_made_since_the_try_began_is_suspected() {
        let began = UNIX_EPOCH + Duration::from_secs(BEGAN);
        let keys = [
            key("current", 5),
            key("old", 5),
            key("later", 5),
            key("within the skew", -60),
            key("earlier", -61),
            Listed {
                active: false,
                ..key("inactive", 5)
            },
            Listed {
                created: None,
                ..key("of no date", 5)
            },
        ];
        let suspected = |since| suspects(&keys, "current", Some("old"), since);
        assert_eq!(suspected(Some(began)), ["later", "within the skew"]);
        assert!(suspected(None).is_empty());
    }

    #[test]
    fn a_key_in_the_way_is_named_with_what_is_to_be_done() {
        let keys = [
            key("current", 0),
            Listed {
                active: false,
                ..key("AKIAOTHER", 0)
            },
        ];
        let fault = plan(&keys, "current", None, &[], "arn:user/app").expect_err("no room");
        assert_eq!(
            fault.to_string(),
            "arn:user/app has two access keys, and the rotator did not make the inactive key AKIAOTHER; \
             nothing was changed. Who owns it has to move to a user of their own; if nobody uses it (`aws \
             iam get-access-key-last-used`), delete it, then rotate again"
        );
    }
}
