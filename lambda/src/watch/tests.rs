use std::collections::BTreeMap;

use secrets_core::rotation::{Reason, Report, RotationError};

use super::*;

fn event(step: &str) -> RotationEvent {
    let event = json!({"Step": step, "SecretId": "app/db", "ClientRequestToken": "v".repeat(32)});
    RotationEvent::parse(&event.to_string()).expect("an event")
}

fn told(
    watch: &Watch,
    event: Option<&RotationEvent>,
    result: &Result<Outcome, StepError>,
    ages: Ages,
) -> Value {
    let mut context = lambda_runtime::Context::default();
    context.request_id = "request-1".into();
    context.xray_trace_id = Some("Root=1-2-3".into());
    let told = Told {
        event,
        context: &context,
        result,
        took: Duration::from_millis(1500),
        at: UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
        ages,
    };
    Value::Object(watch.line(&told))
}

fn out_of_time() -> StepError {
    Box::new(RotationError::new(
        Step::Set,
        "app/db".into(),
        "v".into(),
        Reason::OutOfTime,
    ))
    .into()
}

/// What `CloudWatch` would take from a line: the metrics with their values, by their dimensions. Panics where
/// the line breaks a rule of the format.
fn taken(line: &Value) -> BTreeMap<String, u64> {
    assert!(line["_aws"]["Timestamp"].is_u64(), "milliseconds: {line}");
    let mut taken = BTreeMap::new();
    for directive in line["_aws"]["CloudWatchMetrics"]
        .as_array()
        .expect("directives")
    {
        assert_eq!(directive["Namespace"], "SecretsRotation");
        for dimensions in directive["Dimensions"].as_array().expect("sets") {
            let names = dimensions
                .as_array()
                .expect("names")
                .iter()
                .map(|name| name.as_str().expect("a name"));
            let values: Vec<_> = names.map(|name| line[name].as_str().expect(name)).collect();
            for metric in directive["Metrics"].as_array().expect("metrics") {
                let name = metric["Name"].as_str().expect("a name");
                let known = ["Milliseconds", "Seconds", "Count"];
                assert!(known.contains(&metric["Unit"].as_str().expect("a unit")));
                let value = line[name].as_u64().expect("a number");
                let before = taken.insert(format!("{name} of {}", values.join(",")), value);
                assert_eq!(before, None, "each number once: {name}");
            }
        }
    }
    taken
}

#[test]
fn a_step_that_went_well_is_a_line_and_its_metrics() {
    let watch = Watch::new(true);
    let ages = Ages {
        credential: None,
        gap: Some(Duration::from_millis(2345)),
    };
    let line = told(
        &watch,
        Some(&event("finishSecret")),
        &Ok(Outcome::Promoted),
        ages,
    );
    for (key, value) in [
        ("level", json!("INFO")),
        ("message", json!("step")),
        ("secret", json!("app/db")),
        ("version", json!("v".repeat(32))),
        ("step", json!("finishSecret")),
        ("outcome", json!("promoted")),
        ("ms", json!(1500)),
        ("request_id", json!("request-1")),
        ("trace_id", json!("Root=1-2-3")),
        ("cold_start", json!(true)),
        ("timestamp", json!(1_700_000_000_123_u64)),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    let expected = [
        ("Attempts of ,finishSecret", 1),
        ("Duration of ", 1500),
        ("Duration of ,finishSecret", 1500),
        ("Failures of ", 0),
        ("Failures of ,finishSecret", 0),
        ("Gap of ", 2345),
        ("Promotions of ", 1),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(taken(&line), BTreeMap::from(expected));
}

#[test]
fn a_failure_is_counted_by_its_type_and_by_who_must_act() {
    let watch = Watch::new(true);
    let line = told(
        &watch,
        Some(&event("setSecret")),
        &Err(out_of_time()),
        Ages::default(),
    );
    assert_eq!(
        (&line["level"], &line["outcome"]),
        (&json!("ERROR"), &json!("failed"))
    );
    let taken = taken(&line);
    for name in ["", ",setSecret", ",OutOfTime", ",retry"] {
        assert_eq!(taken[&format!("Failures of {name}")], 1, "{name}");
    }
    assert!(
        line["error"]
            .as_str()
            .is_some_and(|text| text.contains("time is up"))
    );
    assert_eq!(line.get("Promotions"), None);
}

#[test]
fn tries_in_a_row_are_counted() {
    let watch = Watch::new(true);
    let mut attempts = Vec::new();
    for step in ["createSecret", "createSecret", "setSecret", "createSecret"] {
        let line = told(
            &watch,
            Some(&event(step)),
            &Err(out_of_time()),
            Ages::default(),
        );
        attempts.push((line["Attempts"].as_u64(), line["cold_start"] == true));
    }
    assert_eq!(
        attempts,
        [
            (Some(1), true),
            (Some(2), false),
            (Some(1), false),
            (Some(1), false)
        ]
    );
}

#[test]
fn an_event_that_is_none_is_told_without_a_step() {
    let fault: StepError = RotationEvent::parse("{}").expect_err("no step").into();
    let line = told(&Watch::new(true), None, &Err(fault), Ages::default());
    assert_eq!(line.get("step"), None);
    let names: Vec<_> = taken(&line).into_keys().collect();
    assert_eq!(
        names,
        [
            "Duration of ",
            "Failures of ",
            "Failures of ,InvalidEvent",
            "Failures of ,fix_secret"
        ]
    );
}

#[test]
fn without_metrics_the_line_is_the_same_but_for_them() {
    let event = event("testSecret");
    let with = told(
        &Watch::new(true),
        Some(&event),
        &Ok(Outcome::Tested),
        Ages::default(),
    );
    let without = told(
        &Watch::new(false),
        Some(&event),
        &Ok(Outcome::Tested),
        Ages::default(),
    );
    let metrics = ["_aws", "Attempts", "Duration", "Failures"];
    let rest = with
        .as_object()
        .expect("a line")
        .iter()
        .filter(|(key, _)| !metrics.contains(&key.as_str()));
    assert!(rest.eq(without.as_object().expect("a line").iter()));
    assert!(metrics.iter().all(|key| without.get(key).is_none()));
}

#[test]
fn a_gap_is_what_the_rotator_admits() {
    let report = |result, pending_age| {
        let mut report = Report::of(result);
        report.pending_age = pending_age;
        report
    };
    let age = Some(Duration::from_secs(3));
    for (overlap, outcome, gap) in [
        (Overlap::ReplaceInPlace, Outcome::Promoted, age),
        (Overlap::MintedInPlace, Outcome::Promoted, age),
        (
            Overlap::UntilNextRotation,
            Outcome::Promoted,
            Some(Duration::ZERO),
        ),
        (Overlap::ReplaceInPlace, Outcome::AlreadyCurrent, None),
        (Overlap::ReplaceInPlace, Outcome::Tested, None),
    ] {
        assert_eq!(
            Ages::of(&report(Ok(outcome), age), overlap).gap,
            gap,
            "{overlap}, {outcome:?}"
        );
    }
}
