//! Many secrets in one call: `BatchGetSecretValue`.

use zeroize::Zeroizing;

use super::error::{error, kind};
use super::{AwsStore, Value};
use crate::event::SecretId;
use crate::store::{SecretReader, SecretVersion, StoreError, Version};

/// API reference, `BatchGetSecretValue`: `SecretIdList` has 1 to 20 items.
pub(super) const LIMIT: usize = 20;

const BATCH: &str = "BatchGetSecretValue";

type Answer = Result<SecretVersion, StoreError>;

/// One answer an id, in their order; at most [`LIMIT`] ids a call.
pub(super) async fn get(store: &AwsStore, ids: &[SecretId]) -> Result<Vec<Answer>, StoreError> {
    let mut answers = Vec::with_capacity(ids.len());
    for ids in ids.chunks(LIMIT) {
        answers.extend(ask(store, ids).await?);
    }
    Ok(answers)
}

async fn ask(store: &AwsStore, ids: &[SecretId]) -> Result<Vec<Answer>, StoreError> {
    let mut found: Vec<Vec<Answer>> = ids.iter().map(|_| Vec::new()).collect();
    let mut next = None;
    loop {
        let call = store.0.batch_get_secret_value().set_next_token(next);
        let list = ids.iter().map(|id| id.as_str().to_owned()).collect();
        let reply = match call.set_secret_id_list(Some(list)).send().await {
            Ok(reply) => reply,
            Err(fault) => {
                let asked = ids.first().cloned().unwrap_or_else(|| "".into());
                return Err(error(BATCH, &asked, &fault));
            }
        };
        for fault in reply.errors.unwrap_or_default() {
            let named = fault.secret_id.unwrap_or_default();
            let code = fault.error_code.unwrap_or_default();
            for (id, found) in ids.iter().zip(&mut found) {
                if names(id, &named, None) {
                    let fault = StoreError::new(kind(&code), BATCH, id);
                    found.push(Err(fault.with_code(Some(code.clone()))));
                }
            }
        }
        for entry in reply.secret_values.unwrap_or_default() {
            let (arn, name) = (entry.arn.clone().unwrap_or_default(), entry.name);
            let value = Value {
                text: entry.secret_string.map(Zeroizing::new),
                bytes: entry.secret_binary,
                version: entry.version_id,
                labels: entry.version_stages,
                created: entry.created_date,
                arn: entry.arn,
            };
            let Some(version) = value.read() else {
                continue;
            };
            for (id, found) in ids.iter().zip(&mut found) {
                if names(id, &arn, name.as_deref()) {
                    found.push(Ok(version.clone()));
                }
            }
        }
        next = reply.next_token;
        if next.is_none() {
            break;
        }
    }
    let mut answers = Vec::with_capacity(ids.len());
    for (id, mut found) in ids.iter().zip(found) {
        let only = if found.len() == 1 { found.pop() } else { None };
        answers.push(match only {
            Some(answer) => answer,
            // No answer; or two, since secrets of two accounts may have one name, and only one of
            // them was asked for by it.
            None => store.get(id, &Version::CURRENT).await,
        });
    }
    Ok(answers)
}

/// Whether a secret that the service calls so is the one that was asked for: by name, ARN or partial ARN.
fn names(asked: &SecretId, said: &str, name: Option<&str>) -> bool {
    let asked = asked.as_str();
    let suffix = said.strip_prefix(asked);
    asked == said
        || name == Some(asked)
        // The ARN ends with a hyphen and six characters of the service's choice.
        || asked.starts_with("arn:") && suffix.is_some_and(|end| end.len() == 7 && end.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_name_its_arn_and_its_arn_without_the_suffix() {
        const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-AbCdEf";
        let known = |asked: &str| names(&asked.into(), ARN, Some("app/db"));
        assert!(known("app/db"));
        assert!(known(ARN));
        assert!(known(ARN.trim_end_matches("-AbCdEf")));
        assert!(!known("app"));
        assert!(!known(ARN.trim_end_matches("b-AbCdEf")));
        assert!(!known(
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/other"
        ));
    }
}
