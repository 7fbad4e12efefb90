//! How a client is set up.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::SecretsClient;
use super::cache::Cache;
use super::clock::Clock;
use super::core::Core;
use super::entry::Rules;
use super::stats::Counters;
use super::sync::Handle;
use super::upstream::{Describing, Reading, Upstream};
use crate::store::{Label, SecretReader, SecretStore, Version};

/// What AWSPENDING holds is asked for while a rotation is under way only, and moves on within seconds.
const PENDING: Duration = Duration::from_secs(1);
/// Its value may come a moment after the first look.
const PENDING_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) ttl: Duration,
    pub(super) version_ttl: Duration,
    pub(super) jitter: f64,
    pub(super) max_stale: Duration,
    pub(super) timeout: Duration,
    pub(super) capacity: usize,
    pub(super) back_off: (Duration, Duration),
    pub(super) refresh_interval: Duration,
    pub(super) try_pending: bool,
}

impl Settings {
    pub(super) fn rules(&self, version: &Version) -> Rules {
        let rules = Rules {
            ttl: self.ttl,
            max_stale: self.max_stale,
            back_off: self.back_off,
            jitter: self.jitter,
            interval: self.refresh_interval,
        };
        match version {
            Version::Labelled(Label::Pending) => Rules {
                ttl: PENDING,
                max_stale: Duration::ZERO,
                back_off: (PENDING_INTERVAL, PENDING_INTERVAL),
                jitter: 0.0,
                interval: PENDING_INTERVAL,
            },
            Version::Labelled(_) | Version::Exactly(..) => rules,
            Version::Id(_) => Rules {
                ttl: self.version_ttl,
                ..rules
            },
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_mins(5),
            version_ttl: Duration::from_hours(1),
            jitter: 0.1,
            max_stale: Duration::from_hours(24),
            timeout: Duration::from_secs(10),
            capacity: 1024,
            back_off: (Duration::from_secs(1), Duration::from_mins(1)),
            refresh_interval: Duration::from_secs(1),
            try_pending: false,
        }
    }
}

/// Sets up a [`SecretsClient`]; made by [`SecretsClient::builder`]. Each setting has a default that fits most
/// applications.
pub struct Builder<R> {
    reader: R,
    settings: Settings,
    clock: Clock,
    runtime: Option<Handle>,
    upstream: fn(R) -> Box<dyn Upstream>,
}

impl<R: SecretReader + 'static> Builder<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            settings: Settings::default(),
            clock: Clock::default(),
            runtime: None,
            upstream: |reader| Box::new(Reading(reader)),
        }
    }

    /// How long a value is served before the store is asked again. Default: 5 minutes.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.settings.ttl = ttl;
        self
    }

    /// The same for versions asked for by id, which never change; what may change is whether this caller may
    /// read them. Default: 1 hour.
    #[must_use]
    pub fn version_ttl(mut self, ttl: Duration) -> Self {
        self.settings.version_ttl = ttl;
        self
    }

    /// The part of each such time, 0.0 to 0.5, that is taken off at random, so that a fleet which was started
    /// together does not ask together. Default: 0.1.
    #[must_use]
    pub fn jitter(mut self, fraction: f64) -> Self {
        self.settings.jitter = if fraction.is_finite() {
            fraction.clamp(0.0, 0.5)
        } else {
            0.0
        };
        self
    }

    /// How long after `ttl` a value that nobody could confirm is still served. Default: 24 hours.
    #[must_use]
    pub fn max_stale(mut self, max_stale: Duration) -> Self {
        self.settings.max_stale = max_stale;
        self
    }

    /// How long one call to the store may take. Default: 10 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How many secrets are held; the ones that are not read go first, and those with a handle stay. Default:
    /// 1,024. Versions asked for by id or another label are counted by themselves, to the same number.
    #[must_use]
    pub fn capacity(mut self, secrets: usize) -> Self {
        self.settings.capacity = secrets.max(1);
        self
    }

    /// The pause after a failure, doubled with each further one, and the longest. Default: 1 second, 1 minute.
    #[must_use]
    pub fn back_off(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.back_off = (first, longest.max(first));
        self
    }

    /// The least time between two calls that are made before their time, since a credential was refused or
    /// somebody asked for a refresh. Default: 1 second.
    #[must_use]
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.settings.refresh_interval = interval;
        self
    }

    /// Where the target refuses what is current, also in the store,
    /// [`connect_with`](super::SecretHandle::connect_with) tries what AWSPENDING holds. It needs no right
    /// beyond reading, and closes the gap of targets that hold one password: between setSecret and
    /// finishSecret they already want the new one.
    #[must_use]
    pub fn try_pending(mut self) -> Self {
        self.settings.try_pending = true;
        self
    }

    /// The runtime on which the store is asked. Default: the one in which the read happens; for a read
    /// outside of any, the one in which the client was built or first awaited.
    #[must_use]
    pub fn runtime(mut self, runtime: &Handle) -> Self {
        self.runtime = Some(runtime.clone());
        self
    }

    /// Another time than the system's, for tests.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn clock(mut self, clock: &super::TestClock) -> Self {
        self.clock = Clock::Test(clock.clone());
        self
    }

    /// Asks for labels and dates before a value: a value that is still current is not read again, a rotation
    /// that is under way is watched every 5 seconds, and around the date of the next one the secret is looked
    /// at every minute; so `ttl` may be an hour. It needs `secretsmanager:DescribeSecret`; where that is
    /// denied, values are read as without it.
    #[must_use]
    pub fn follow_rotations(mut self) -> Self
    where
        R: SecretStore,
    {
        self.upstream = |store| Box::new(Describing(Reading(store)));
        self
    }

    /// The client.
    pub fn build(self) -> SecretsClient {
        let built_in = OnceLock::new();
        if let Ok(runtime) = Handle::try_current() {
            let _ = built_in.set(runtime);
        }
        SecretsClient(Arc::new(Core {
            upstream: (self.upstream)(self.reader),
            current: Cache::new(self.settings.capacity),
            versions: Cache::new(self.settings.capacity),
            settings: self.settings,
            clock: self.clock,
            counters: Counters::default(),
            chosen: self.runtime,
            built_in,
        }))
    }
}

impl<R> fmt::Debug for Builder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
