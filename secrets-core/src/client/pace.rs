//! How soon to ask again: by labels and dates of the secret, by failures so far.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, SystemTime};

use crate::store::{Label, SecretState};

/// While a rotation is under way.
pub(super) const ROTATING: Duration = Duration::from_secs(5);
/// Around the date of the next rotation.
pub(super) const NEAR: Duration = Duration::from_mins(1);
/// `NextRotationDate` is a day on or before which it happens: from that long before it,
const BEFORE: Duration = Duration::from_hours(1);
/// and that long after it, since a failed rotation is tried again.
const AFTER: Duration = Duration::from_hours(24);

/// When to look again at a secret that is in this state; never later than `ttl`.
pub(super) fn next(state: &SecretState, ttl: Duration, now: SystemTime) -> Duration {
    let pending = state.holder(&Label::Pending);
    if pending.is_some() && pending != state.holder(&Label::Current) {
        return ttl.min(ROTATING);
    }
    let Some(date) = state.next_rotation else {
        return ttl;
    };
    match date.duration_since(now) {
        Ok(ahead) if ahead > BEFORE => ttl.min(ahead.saturating_sub(BEFORE)),
        Err(behind) if behind.duration() > AFTER => ttl,
        _ => ttl.min(NEAR),
    }
}

/// The pause after so many failures in a row: twice as long after each, between `first` and `longest`.
pub(super) fn back_off(failures: u32, first: Duration, longest: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    first.saturating_mul(1 << doublings).min(longest)
}

/// A part of `time` taken off at random, at most the fraction `jitter` of it: so that the processes of a
/// fleet which started together do not ask together.
pub(super) fn jittered(time: Duration, jitter: f64) -> Duration {
    // Each `RandomState` has keys of its own; unpredictable enough to spread requests.
    let random = RandomState::new().build_hasher().finish() >> 40;
    let fraction = f64::from(u32::try_from(random).unwrap_or(0)) / f64::from(1 << 24);
    time.mul_f64(1.0 - jitter * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_hours(2);

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
    }

    fn state(labels: &[(&str, Label)], next: Option<i64>) -> SecretState {
        let mut state = SecretState::default();
        for (version, label) in labels {
            let version = (*version).into();
            let of_version = state.versions.entry(version);
            of_version.or_default().insert(label.clone());
        }
        state.next_rotation = next.map(|seconds| {
            let time = Duration::from_secs(seconds.unsigned_abs());
            if seconds < 0 {
                now() - time
            } else {
                now() + time
            }
        });
        state
    }

    #[test]
    fn slow_in_quiet_times_and_fast_around_a_rotation() {
        let quiet = [("1", Label::Current)];
        assert_eq!(next(&state(&quiet, None), TTL, now()), TTL);
        assert_eq!(next(&state(&quiet, Some(86_400)), TTL, now()), TTL);
        let soon = next(&state(&quiet, Some(3600 + 1000)), TTL, now());
        assert_eq!(soon, Duration::from_secs(1000));
        assert_eq!(next(&state(&quiet, Some(60)), TTL, now()), NEAR);
        assert_eq!(next(&state(&quiet, Some(-60)), TTL, now()), NEAR);
        assert_eq!(next(&state(&quiet, Some(-3 * 86_400)), TTL, now()), TTL);

        let rotating = [("1", Label::Current), ("2", Label::Pending)];
        assert_eq!(next(&state(&rotating, None), TTL, now()), ROTATING);
        assert_eq!(
            next(&state(&rotating, None), Duration::from_secs(1), now()),
            Duration::from_secs(1)
        );
        // After a rotation, AWSPENDING may stay on what is current.
        let done = [("2", Label::Current), ("2", Label::Pending)];
        assert_eq!(next(&state(&done, None), TTL, now()), TTL);
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_mins(1));
        let pauses: Vec<u64> = [1, 2, 3, 6, 7, 100, u32::MAX]
            .map(|failures| back_off(failures, first, longest).as_secs())
            .into();
        assert_eq!(pauses, [1, 2, 4, 32, 60, 60, 60]);
    }

    #[test]
    fn jitter_only_shortens_and_spreads() {
        let times: Vec<Duration> = (0..100).map(|_| jittered(TTL, 0.1)).collect();
        assert!(
            times
                .iter()
                .all(|time| *time <= TTL && *time >= TTL.mul_f64(0.9))
        );
        assert!(times.iter().any(|time| *time != times[0]));
        assert_eq!(jittered(TTL, 0.0), TTL);
    }
}
