//! `invoke`: rotation events for a function on this machine.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use hyper::Uri;
use secrets_core::event::{RotationEvent, SecretId, Step};
use secrets_core::rotation::{Advice, Reason};
use secrets_core::store::SecretStore;
use serde_json::{Value, json};

use crate::args::{Common, Invoke};
use crate::invoke::{Answer, Host, send};
use crate::output::{BAD, GOOD, Output, styled};
use crate::report::{Failure, Report};
use crate::settings;
use crate::target::pending;

/// Where events go.
enum Function {
    Binary(Box<Host>),
    Endpoint(Uri),
}

pub(crate) async fn run(args: &Invoke, common: &Common, output: Output) -> Result<Report, Failure> {
    let events = events(args, common).await?;
    let mut function = open(args, common).await?;
    let patience = Duration::from_secs(common.timeout);
    let mut answers = Vec::new();
    for (name, event) in events {
        let answer = match &mut function {
            Function::Binary(host) => host.send(event, patience).await,
            Function::Endpoint(uri) => send(uri, event, patience).await,
        };
        match answer {
            Answer::Done => {
                output.line(format_args!("  {name:<13} {}", styled(GOOD, "done")));
                answers.push(json!({"step": name, "ok": true}));
            }
            Answer::Failed {
                error_type,
                message,
            } => {
                output.line(format_args!("  {name:<13} {}", styled(BAD, &error_type)));
                answers.push(json!({"step": name, "ok": false}));
                let failure = Failure::failed(&error_type, message, Advice::Retry);
                return Err(failure.after(json!({"steps": answers})));
            }
        }
    }
    Ok(Report::fine(json!({"steps": answers})))
}

/// The events to send, each with the name of its step.
async fn events(args: &Invoke, common: &Common) -> Result<Vec<(String, String)>, Failure> {
    if let Some(path) = &args.event {
        let text = read(path)?;
        // A broken event is worth sending, too: the function has to refuse it.
        let step = RotationEvent::parse(&text).map(|event| event.step.as_str());
        return Ok(vec![(step.unwrap_or("event").to_owned(), text)]);
    }
    let wanted = args.step.as_deref().unwrap_or_default();
    let steps: Vec<Step> = Step::ALL
        .into_iter()
        .filter(|step| wanted == "all" || wanted == step.as_str())
        .collect();
    if steps.is_empty() {
        return Err(Failure::settings(
            "--step must be createSecret, setSecret, testSecret, finishSecret or all",
        ));
    }
    let secret = args.secret.as_deref().unwrap_or_default();
    let token = match &args.token {
        Some(token) => token.clone(),
        None => pending_token(secret, common).await?,
    };
    let event = |step: &Step| -> Value {
        json!({"Step": step.as_str(), "SecretId": secret, "ClientRequestToken": token})
    };
    let steps = steps.iter();
    Ok(steps
        .map(|step| (step.as_str().to_owned(), event(step).to_string()))
        .collect())
}

async fn pending_token(secret: &str, common: &Common) -> Result<String, Failure> {
    let store = settings::store(common)?;
    let state = store.describe(&SecretId::from(secret)).await;
    let state = state.map_err(|fault| Failure::from(Reason::from(fault)))?;
    match pending(&state) {
        Some(version) => Ok(version.as_str().to_owned()),
        None => Err(Failure::settings(
            "no version of the secret waits in AWSPENDING: name one with --token, or begin with RotateSecret",
        )),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|fault| {
        Failure::settings(format!(
            "{} cannot be read: {}",
            path.display(),
            fault.kind()
        ))
    })?;
    Ok(text)
}

async fn open(args: &Invoke, common: &Common) -> Result<Function, Failure> {
    if let Some(endpoint) = &args.endpoint {
        let uri: Option<Uri> = endpoint.parse().ok();
        let uri = uri.filter(|it| it.scheme_str() == Some("http") && it.host().is_some());
        return uri.map(Function::Endpoint).ok_or_else(|| {
            Failure::settings("--endpoint must be a URL that starts with http://, of this machine")
        });
    }
    let binary = args.binary.as_deref().unwrap_or(Path::new(""));
    let settings = settings::for_child(common)?;
    let host = Host::start(binary, &settings).await.map_err(|fault| {
        Failure::settings(format!(
            "{} cannot be run: {}",
            binary.display(),
            fault.kind()
        ))
    })?;
    Ok(Function::Binary(Box::new(host)))
}
