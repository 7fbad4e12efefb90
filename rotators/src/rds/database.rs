//! Which database a secret of RDS belongs to: its system tags.

use std::collections::BTreeMap;
use std::fmt;

use secrets_core::rotator::RotatorError;

/// In lower case: the service writes `aws:rds:primaryDBInstanceArn`, and AWS's rotation functions compare
/// without regard to case.
const INSTANCE: &str = "aws:rds:primarydbinstancearn";
const CLUSTER: &str = "aws:rds:primarydbclusterarn";

/// The longest ARN that AWS's rotation functions take.
const MAX_ARN: usize = 256;

/// A database of RDS, by its ARN.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Database {
    pub(super) kind: Kind,
    arn: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Instance,
    Cluster,
}

impl Kind {
    /// The type of the resource in an ARN.
    fn word(self) -> &'static str {
        match self {
            Self::Instance => "db",
            Self::Cluster => "cluster",
        }
    }
}

impl Database {
    /// The database that the tags of a secret name.
    pub(super) fn in_tags(tags: &BTreeMap<String, String>) -> Result<Self, RotatorError> {
        let mut named = tags.iter().filter_map(|(key, arn)| {
            let kind = match key.to_ascii_lowercase().as_str() {
                INSTANCE => Kind::Instance,
                CLUSTER => Kind::Cluster,
                _ => return None,
            };
            Some((kind, arn))
        });
        match (named.next(), named.next()) {
            (None, _) => Err(RotatorError::misconfigured(
                "the admin's secret (`masterarn`) has no `host`, and no tag that says which database of RDS \
                 it belongs to (`aws:rds:primaryDBInstanceArn`, `aws:rds:primaryDBClusterArn`); add `host` to \
                 that secret, or name the one that RDS manages",
            )),
            (Some((kind, arn)), None) if is_arn(arn, kind.word()) => Ok(Self {
                kind,
                arn: arn.clone(),
            }),
            _ => Err(RotatorError::misconfigured(
                "the tags of the admin's secret (`masterarn`) do not name one database of RDS by its ARN; name \
                 the secret that RDS manages, as its page of the database shows it",
            )),
        }
    }

    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    /// `eu-west-1`.
    pub(super) fn region(&self) -> &str {
        self.arn.split(':').nth(3).unwrap_or_default()
    }
}

/// `arn:aws:rds:eu-west-1:123456789012:db:orders`
fn is_arn(text: &str, resource: &str) -> bool {
    let plain = |part: &&str| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", _, "rds", _, _, found, _] = parts[..] else {
        return false;
    };
    text.len() <= MAX_ARN && found == resource && parts.iter().all(plain)
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DB: &str = "arn:aws:rds:eu-west-1:123456789012:db:orders-1";
    const OF_CLUSTER: &str = "arn:aws-cn:rds:cn-north-1:123456789012:cluster:orders";

    fn read(tags: &[(&str, &str)]) -> Result<(Kind, String, String), String> {
        let tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        match Database::in_tags(&tags.collect()) {
            Ok(found) => Ok((found.kind, found.to_string(), found.region().to_owned())),
            Err(fault) => Err(fault.to_string()),
        }
    }

    #[test]
    fn a_tag_names_an_instance_or_a_cluster_in_any_case() {
        for (key, arn, kind, region) in [
            (
                "aws:rds:primaryDBInstanceArn",
                DB,
                Kind::Instance,
                "eu-west-1",
            ),
            (
                "aws:rds:primarydbinstancearn",
                DB,
                Kind::Instance,
                "eu-west-1",
            ),
            (
                "aws:rds:primaryDBClusterArn",
                OF_CLUSTER,
                Kind::Cluster,
                "cn-north-1",
            ),
            (
                "AWS:RDS:PRIMARYDBCLUSTERARN",
                OF_CLUSTER,
                Kind::Cluster,
                "cn-north-1",
            ),
        ] {
            let tags = [
                (key, arn),
                ("team", DB),
                ("aws:secretsmanager:owningService", "rds"),
            ];
            let expected = (kind, arn.to_owned(), region.to_owned());
            assert_eq!(read(&tags), Ok(expected), "{key}");
        }
    }

    #[test]
    fn a_secret_of_somebody_else_needs_a_host() {
        for tags in [&[][..], &[("rds:primaryDBInstanceArn", DB), ("a", "b")]] {
            let fault = read(tags).expect_err("no tag of RDS");
            assert!(fault.contains("add `host` to that secret"), "{fault}");
        }
    }

    #[test]
    fn a_tag_that_names_no_database_is_no_tag_of_rds() {
        let long = format!("{DB}{}", "x".repeat(256 - DB.len()));
        assert_eq!(
            read(&[("aws:rds:primaryDBInstanceArn", &long)]).map(|it| it.1),
            Ok(long.clone())
        );
        for (key, arn) in [
            ("aws:rds:primaryDBInstanceArn", ""),
            ("aws:rds:primaryDBInstanceArn", OF_CLUSTER),
            ("aws:rds:primaryDBClusterArn", DB),
            (
                "aws:rds:primaryDBInstanceArn",
                "arn:aws:rds:eu-west-1:123456789012:db:",
            ),
            (
                "aws:rds:primaryDBInstanceArn",
                "arn:aws:ec2:eu-west-1:123456789012:db:a",
            ),
            (
                "aws:rds:primaryDBInstanceArn",
                "arn:aws:rds:eu-west-1:123456789012:db:a:b",
            ),
            (
                "aws:rds:primaryDBInstanceArn",
                "arn:aws:rds:eu-west-1:123456789012:db:sentinel\n",
            ),
            ("aws:rds:primaryDBInstanceArn", &format!("{long}x")),
        ] {
            let fault = read(&[(key, arn)]).expect_err(arn);
            assert!(fault.contains("do not name one database"), "{fault}");
            assert!(!fault.contains("sentinel"), "{fault}");
        }
        let two = [
            ("aws:rds:primaryDBClusterArn", OF_CLUSTER),
            ("aws:rds:primaryDBInstanceArn", DB),
        ];
        let fault = read(&two).expect_err("two databases");
        assert!(fault.contains("do not name one database"), "{fault}");
    }
}
