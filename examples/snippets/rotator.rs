//! What `docs/write-a-rotator.md` has beside the program.

use std::time::SystemTime;

use secrets_core::rotator::{Context, Live, Overlap, Profile, Repeat, Retirement, Rotates};

struct Other {
    created: SystemTime,
}

fn is_somebody_elses(cx: &Context, other: &Other) -> bool {
    let orphan = cx.tried_since().is_some_and(|since| other.created >= since);
    !orphan
}

fn profile() -> Profile {
    let keys = Rotates::Keys(&["key_name", "key"]);
    Profile::new(keys, Overlap::UntilNextRotation)
        .retiring(Retirement::AfterPromotion)
        .holding(Live { rest: 1, peak: 2 })
        .repeating(Repeat::Told)
}
