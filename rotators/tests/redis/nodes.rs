//! Several servers that hold one user: users are not replicated.

use harness::proxy::{TcpMode, TcpProxy};
use harness::redis::{RedisBuilder, RedisServer};
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{ADMIN, ADMIN_RIGHTS, Client, FIRST, Fixture, on_both, sha256};

on_both! {
    every_node_is_changed,
    a_node_out_of_reach_stops_the_rotation_and_the_next_try_ends_it,
    a_node_that_lost_the_new_password_is_told,
    a_replica_has_users_of_its_own,
}

/// A second server with the same users.
struct Second {
    server: RedisServer,
    admin: Client,
    proxy: TcpProxy,
}

impl Second {
    async fn start(builder: RedisBuilder) -> Self {
        let server = builder.start().await;
        let mut admin = Client::admin(&server).await;
        let password = format!("#{}", sha256(ADMIN));
        let rules = [&["on", &password][..], &ADMIN_RIGHTS].concat();
        admin.set_user("rotator", &rules).await;
        let first = format!(">{FIRST}");
        admin.set_user("app", &["on", &first, "+ping"]).await;
        Self {
            proxy: TcpProxy::start(server.host(), server.port()).await,
            server,
            admin,
        }
    }
}

/// Both servers, and a secret that names them. The second has an authority of its own.
async fn two(builder: RedisBuilder) -> (Fixture, Second) {
    let (fixture, second) = tokio::join!(Fixture::start(builder.clone()), Second::start(builder));
    let nodes = [
        format!("{}:{}", fixture.server.host(), fixture.server.port()),
        format!("{}:{}", second.proxy.host(), second.proxy.port()),
    ];
    let authorities = fixture.server.ca_pem() + &second.server.ca_pem();
    let secret = json!({ "nodes": nodes, "ca_certificate": authorities });
    fixture.put_current("both", &fixture.document(&secret));
    (fixture, second)
}

async fn every_node_is_changed(builder: RedisBuilder) {
    let (mut fixture, mut second) = two(builder).await;
    for version in ["second", "third", "fourth"] {
        fixture.rotates(version).await;
        let mut there = second.admin.hashes("app").await;
        let mut here = fixture.admin.hashes("app").await;
        here.sort();
        there.sort();
        assert_eq!(here, there);
        assert!(here.contains(&sha256(&fixture.password(&Label::Current).await)));
        assert_eq!(here.len(), 2);
    }
}

async fn a_node_out_of_reach_stops_the_rotation_and_the_next_try_ends_it(builder: RedisBuilder) {
    let (mut fixture, mut second) = two(builder).await;
    fixture.rotates("second").await;
    let (here, there) = (
        fixture.admin.hashes("app").await,
        second.admin.hashes("app").await,
    );
    second.proxy.set_mode(TcpMode::Refuse).await;
    let expected = (Kind::Unreachable, None);
    let node = second.proxy.port().to_string();
    fixture
        .fails(&fixture.rotation(), "third", expected, &node)
        .await;
    assert_eq!(
        fixture.admin.hashes("app").await,
        here,
        "nothing is changed"
    );
    assert_eq!(second.admin.hashes("app").await, there);

    second.proxy.set_mode(TcpMode::Forward).await;
    fixture.rotates("third").await;
    assert_eq!(second.admin.hashes("app").await.len(), 2);
}

async fn a_node_that_lost_the_new_password_is_told(builder: RedisBuilder) {
    let (fixture, mut second) = two(builder).await;
    fixture.rotates("second").await;
    // As after a restart without a file that was saved.
    let first = format!(">{FIRST}");
    second.admin.set_user("app", &["resetpass", &first]).await;
    let rotated = fixture.rotate(&fixture.rotation(), "third").await;
    let outcomes = rotated.expect("the previous password is accepted everywhere");
    assert_eq!(
        outcomes,
        [
            Outcome::Created,
            Outcome::Set,
            Outcome::Tested,
            Outcome::Promoted
        ]
    );
    let current = sha256(&fixture.password(&Label::Current).await);
    assert!(second.admin.hashes("app").await.contains(&current));

    second
        .admin
        .set_user("app", &["resetpass", ">by hand"])
        .await;
    assert!(fixture.rotate(&fixture.rotation(), "fourth").await.is_err());
    assert_eq!(second.admin.hashes("app").await, [sha256("by hand")]);
}

/// A replica takes changes of users while it takes no data, and gets none from its primary.
async fn a_replica_has_users_of_its_own(builder: RedisBuilder) {
    let (mut fixture, mut second) = two(builder).await;
    let port = fixture.server.port().to_string();
    let follow = ["REPLICAOF", fixture.server.host(), &port];
    assert_eq!(second.admin.call(&follow).await, "+OK");
    fixture
        .admin
        .set_user("app", &[">on the primary only"])
        .await;
    fixture.rotates("second").await;
    let there = second.admin.hashes("app").await;
    assert!(!there.contains(&sha256("on the primary only")));
    assert!(there.contains(&sha256(&fixture.password(&Label::Current).await)));
}
