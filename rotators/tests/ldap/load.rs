//! Readers that bind without a pause, while the password rotates.

use std::sync::Arc;

use crate::support::{APP, Client, Fixture, with_admin};
use crate::under_load::no_login_is_refused;

#[tokio::test]
async fn no_bind_is_refused_while_the_password_rotates() {
    let fixture = Arc::new(Fixture::start(with_admin()).await);
    let binding = Arc::clone(&fixture);
    no_login_is_refused(&fixture, &fixture.rotation(), move |password| {
        let fixture = Arc::clone(&binding);
        async move {
            let mut client = Client::plaintext(&fixture.server).await;
            let answer = client.bind(APP, &password).await;
            (answer != 0).then(|| answer.to_string())
        }
    })
    .await;
}
