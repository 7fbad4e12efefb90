//! The provider has to prove who it is.

use rotators::oauth::bearer::ApiKeys;
use rotators::web::Endpoint;
use secrets_core::rotation::Reason;
use secrets_core::rotator::RotatorErrorKind;

use crate::{Stage, impostor};

#[tokio::test]
async fn an_impostor_is_not_told_anything() {
    let stage = Stage::start(ApiKeys::One).await;
    stage.begin(1);
    let (address, server) = impostor::start();
    let mut settings = stage.settings();
    let url = format!("https://{address}/oauth2/token");
    settings.token_url = Endpoint::parse(&url).expect("a URL");
    let fault = stage.send_all_with(settings, 1).await;
    let fault = fault.expect_err("an unknown authority");
    let Reason::Rotator(fault) = &fault.reason else {
        panic!("{fault:?}");
    };
    assert_eq!(fault.kind(), RotatorErrorKind::Tls, "{fault}");
    assert_eq!(server.join().expect("no panic"), b"");
    stage.send_all(1).await.expect("one more try");
}
