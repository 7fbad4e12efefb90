//! A secret has many ids, and one entry.

use crate::stub::{ID, Login, Stub, TTL, client, pass, password};

const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-AbCdEf";
const PARTIAL: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db";

fn known() -> Stub {
    let stub = Stub::new();
    for asked in [ID, ARN, PARTIAL] {
        stub.known_as(asked, ID, ARN);
    }
    stub
}

#[tokio::test(start_paused = true)]
async fn after_a_read_by_name_the_arn_is_known() {
    let stub = known();
    let secrets = client(&stub);
    for id in [ID, ARN, ID, ARN] {
        let read = secrets.get_secret(id).await.expect("a secret");
        assert_eq!(password(&read), "password-1");
    }
    assert_eq!(stub.gets(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_further_id_costs_one_call_and_shares_the_entry_from_then_on() {
    let stub = known();
    let secrets = client(&stub);
    for id in [ARN, PARTIAL, ID] {
        secrets.get_secret(id).await.expect("a secret");
    }
    assert_eq!(stub.gets(), 3);
    stub.put(ID, "2");
    pass(TTL).await;
    for id in [ID, PARTIAL, ARN] {
        secrets.get_secret(id).await.expect("a secret");
        pass(std::time::Duration::ZERO).await;
    }
    assert_eq!(stub.gets(), 4);
    for id in [ID, PARTIAL, ARN] {
        let read = secrets.get_secret(id).await.expect("a secret");
        assert_eq!(password(&read), "password-2");
    }
}

#[tokio::test(start_paused = true)]
async fn handles_by_name_and_by_arn_are_one() {
    let stub = known();
    let secrets = client(&stub);
    let by_name = secrets.secret::<Login>(ID).await.expect("a login");
    let by_arn = secrets.secret::<Login>(ARN).await.expect("a login");
    let (one, two) = (by_name.current(), by_arn.current());
    let (one, two) = (one.expect("a login"), two.expect("a login"));
    assert!(std::ptr::eq(&raw const *one, &raw const *two));
}

#[tokio::test(start_paused = true)]
async fn a_name_is_never_taken_from_an_arn() {
    // Another account's secret, read by its ARN, has the name of one of ours.
    let stub = Stub::new();
    let theirs = "arn:aws:secretsmanager:us-east-1:999999999999:secret:app/db-XyXyXy";
    stub.put("theirs", "9");
    stub.known_as(theirs, "theirs", theirs);
    let secrets = client(&stub);
    let read = secrets.get_secret(theirs).await.expect("a secret");
    assert_eq!(password(&read), "password-9");
    let read = secrets.get_secret(ID).await.expect("a secret");
    assert_eq!(password(&read), "password-1");
}

#[tokio::test(start_paused = true)]
async fn a_secret_made_anew_under_its_name_is_another_one() {
    let stub = known();
    let secrets = client(&stub);
    secrets.get_secret(ID).await.expect("a secret");
    secrets.get_secret(ARN).await.expect("a secret");
    let anew = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-ZzZzZz";
    stub.put("anew", "7");
    stub.known_as(ID, "anew", anew);
    pass(TTL).await;
    secrets.get_secret(ID).await.expect("a secret");
    pass(std::time::Duration::ZERO).await;
    let before = stub.gets();
    assert_eq!(
        password(&secrets.get_secret(ID).await.expect("new")),
        "password-7"
    );
    assert_eq!(
        password(&secrets.get_secret(anew).await.expect("new")),
        "password-7"
    );
    assert_eq!(stub.gets(), before);
    // The old ARN is asked for by itself again.
    assert_eq!(
        password(&secrets.get_secret(ARN).await.expect("old")),
        "password-1"
    );
    assert_eq!(stub.gets(), before + 1);
}
