//! Readers that log in without a pause, while the password rotates.

use std::sync::Arc;

use harness::redis::RedisBuilder;

use crate::support::{Fixture, on_both};
use crate::under_load::no_login_is_refused;

on_both!(no_login_is_refused_while_the_password_rotates);

async fn no_login_is_refused_while_the_password_rotates(builder: RedisBuilder) {
    let fixture = Arc::new(Fixture::start(builder).await);
    let reading = Arc::clone(&fixture);
    no_login_is_refused(&fixture, &fixture.rotation(), move |password| {
        let fixture = Arc::clone(&reading);
        async move {
            let answer = fixture.login(&password).await;
            (answer != "+OK").then_some(answer)
        }
    })
    .await;
}
