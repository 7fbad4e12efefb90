//! What applications that use the token all the time notice of fifty rotations.

use rotators::oauth::bearer::ApiKeys;

use crate::Stage;

/// How many requests were served and refused, and how many were refused in a row at the longest.
async fn read_along(keys: ApiKeys) -> (usize, usize, usize) {
    let stage = Stage::start(keys).await;
    let rotations = async {
        for n in 1..=50 {
            stage.rotate(n).await;
        }
    };
    let (mut served, mut refused, mut run, mut longest) = (0, 0, 0, 0);
    let reading = async {
        loop {
            if stage.provider.serves(&stage.current().await) {
                served += 1;
                run = 0;
            } else {
                refused += 1;
                run += 1;
                longest = longest.max(run);
            }
            // The rotation goes on between the two.
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = rotations => {}
        () = reading => {}
    }
    (served, refused, longest)
}

#[tokio::test]
async fn two_keys_refuse_no_reader() {
    let (served, refused, _) = read_along(ApiKeys::Two).await;
    println!("two keys: {served} requests served, {refused} refused in 50 rotations");
    assert!(served > 200, "the reader came along: {served}");
    assert_eq!(refused, 0);
}

#[tokio::test]
async fn one_key_has_the_gap_that_its_profile_declares() {
    let (served, refused, longest) = read_along(ApiKeys::One).await;
    println!(
        "one key: {served} requests served, {refused} refused in 50 rotations, {longest} in a row"
    );
    assert!(served > 0 && refused > 0, "{served} {refused}");
}
