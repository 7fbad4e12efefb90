//! Events of the code (`tracing`) as JSON lines on standard output. Never a value.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Sends events to standard output, which Lambda hands on to `CloudWatch` Logs.
pub(crate) fn start() {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false);
    let filter = Targets::new()
        // Fixed, not a setting: at `trace` the runtime logs whole events, rotation tokens included.
        .with_default(LevelFilter::INFO)
        // It repeats the error that we log below, in a form made for people.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    // Fails only where a subscriber is there already, which then is the one that was wanted.
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .try_init();
}
