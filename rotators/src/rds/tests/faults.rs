//! What is said where RDS does not tell.

use std::time::Duration;

use harness::proxy::{Fault, HttpAction};
use secrets_core::rotator::RotatorErrorKind as Kind;

use super::*;

#[tokio::test]
async fn what_rds_refuses_says_who_must_act() {
    let stage = Stage::start().await;
    let instance = stage.rds.create_instance("orders", "postgres", 5433).await;
    stage.rds.create_replica("orders-r", "orders", 5434).await;
    let cluster = stage
        .rds
        .create_cluster("shop", "aurora-postgresql", 5432)
        .await;
    let replica = "orders-r.aaaaaaaaaa.us-east-1.rds.amazonaws.com";
    let answer = |code: u16, aws_code: &str| HttpAction::Status {
        code,
        aws_code: aws_code.to_owned(),
    };
    for (admin, call, action, kind, code, words) in [
        (
            &instance,
            1,
            answer(403, "AccessDenied"),
            Kind::Refused,
            Some("AccessDenied"),
            "rds:DescribeDBInstances on arn:aws:rds:us-east-1:123456789012:db:orders,",
        ),
        (
            &instance,
            2,
            answer(403, "AccessDenied"),
            Kind::Refused,
            Some("AccessDenied"),
            "rds:DescribeDBInstances on the replicas",
        ),
        (
            &cluster,
            1,
            answer(403, "AccessDenied"),
            Kind::Refused,
            Some("AccessDenied"),
            "rds:DescribeDBClusters on arn:aws:rds:us-east-1:123456789012:cluster:shop,",
        ),
        (
            &instance,
            1,
            answer(400, "ExpiredToken"),
            Kind::Refused,
            Some("ExpiredToken"),
            "have expired; rotate again",
        ),
        (
            &instance,
            1,
            answer(403, "InvalidClientTokenId"),
            Kind::Refused,
            Some("InvalidClientTokenId"),
            "refuses the credentials of the function's role",
        ),
        (
            &instance,
            1,
            answer(403, "RequestExpired"),
            Kind::Refused,
            Some("RequestExpired"),
            "set the clock",
        ),
        (
            &instance,
            1,
            answer(403, "OptInRequired"),
            Kind::Refused,
            Some("OptInRequired"),
            "status 403",
        ),
        (
            &instance,
            1,
            HttpAction::Garbage,
            Kind::Unreachable,
            None,
            "none of RDS's",
        ),
        // A replica that goes away between the two questions.
        (
            &instance,
            2,
            answer(404, "DBInstanceNotFound"),
            Kind::Misconfigured,
            None,
            "name the admin of this server",
        ),
    ] {
        stage.proxy.reset();
        stage.proxy.fault_at(call, Fault::Before(action));
        let found = find(&stage.servers, &stage.secrets, admin, replica, 5434).await;
        fails(found, kind, code, words);
        assert_eq!(stage.asked().len(), call, "{words}");
    }
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    let stage = Stage::start().await;
    let admin = stage.rds.create_instance("orders", "postgres", 5433).await;
    let throttled = || HttpAction::Status {
        code: 400,
        aws_code: "Throttling".to_owned(),
    };
    let failed = || HttpAction::Status {
        code: 503,
        aws_code: "ServiceUnavailable".to_owned(),
    };
    stage.proxy.reset();
    stage.proxy.fault_at(1, Fault::Before(throttled()));
    stage.proxy.fault_at(2, Fault::Before(failed()));
    let found = find(&stage.servers, &stage.secrets, &admin, ORDERS, 5433).await;
    assert_eq!(found, Ok(at(ORDERS, 5433)));
    assert_eq!(stage.asked().len(), 3);

    for (action, code) in [
        (throttled(), "Throttling"),
        (failed(), "ServiceUnavailable"),
    ] {
        stage.proxy.reset();
        stage.proxy.fault_from(1, Fault::Before(action));
        let found = find(&stage.servers, &stage.secrets, &admin, ORDERS, 5433).await;
        fails(
            found,
            Kind::Unreachable,
            Some(code),
            "at the moment; try again",
        );
        assert_eq!(stage.asked().len(), 3);
    }
}

#[tokio::test]
async fn without_an_answer_the_way_to_rds_is_named() {
    let stage = Stage::start().await;
    let admin = stage.rds.create_instance("orders", "postgres", 5433).await;
    stage.proxy.fault_from(1, Fault::Before(HttpAction::Hang));
    let mut hanging = settings(&stage.proxy.endpoint());
    hanging.timeout = Duration::from_millis(300);
    let tls = settings(&stage.proxy.endpoint().replace("http://", "https://"));
    let nobody = settings("http://127.0.0.1:1");
    for (settings, kind, words) in [
        (hanging, Kind::Unreachable, "endpoint for RDS"),
        (nobody, Kind::Unreachable, "endpoint for RDS"),
        (tls, Kind::Tls, "the identity of RDS"),
    ] {
        let servers = AdminServers::of_rds(settings);
        let found = find(&servers, &stage.secrets, &admin, ORDERS, 5433).await;
        fails(found, kind, None, words);
    }
}
