//! A certified OAuth 2.0 server: [oidc-provider] 9.13.3 as published, on the Node that it supports.
//!
//! Its own rules decide; only the store is ours, so that tests can look into it, and every call can be
//! counted and broken. What follows was seen there, and each sentence has a test in
//! `harness/tests/oidc`. Other servers may differ where RFCs leave it open: a rotator must not need what
//! only this one does.
//!
//! # Clients
//!
//! | request | answer |
//! |---|---|
//! | wrong secret, unknown client, refused assertion or certificate | 401 `invalid_client` |
//! | no authentication, or two kinds at once | 400 `invalid_request` |
//! | a `Basic` header that is no encoding (a bare `%`) | 400 `invalid_request` |
//! | a grant that this client may not use | 400 `invalid_request`, not `unauthorized_client` |
//! | a grant that the server does not know | 400 `unsupported_grant_type` |
//! | a scope that the client may not have | 400 `invalid_scope` |
//! | a refresh token that is used, expired, revoked, unknown or another client's | 400 `invalid_grant` |
//!
//! - The client is authenticated first: `invalid_client` says nothing about the rest of the request, and
//!   any other error of the token endpoint says that the secret was accepted, `invalid_request` excepted.
//! - A `Basic` header holds form-encoded texts (RFC 6749, section 2.3.1). Sent as it is, a secret with `+`
//!   or `%` is refused as wrong.
//! - `client_secret_basic` and `client_secret_post` are one: the server takes either from a client of the
//!   other. `client_secret_jwt` is not: its secret is refused in clear.
//! - Each `client_credentials` request mints another token, and all of them live until they expire.
//!
//! # Assertions
//!
//! - `exp`, `jti`, `iss`, `sub` and `aud` have to be there; `iss` and `sub` are the client's id; `aud` is the
//!   issuer, the token endpoint or the endpoint that is called, letter for letter, or a list with one of
//!   them.
//! - `exp` in the past and `nbf` in the future are refused, each beyond the tolerance (15 seconds unless
//!   set). `iat` is not looked at beside `exp`, and `exp` may be years away.
//! - A `jti` is taken once for a client, at all endpoints together, until its `exp` and the tolerance are
//!   over. It is used up by a request that then fails for something else, and not by an assertion that
//!   is refused itself.
//! - All refusals are 401 `invalid_client`: a clock that is wrong looks like a key that is wrong.
//! - A client's key set may hold an old and a new key, or certificate; one that is left out is dead at once.
//!
//! # Refresh tokens
//!
//! - An exchange uses the refresh token up, and brings a new one. Earlier access tokens live on.
//! - A used one that is presented again is 400 `invalid_grant`, and **ends the whole grant**: the new
//!   refresh token and all access tokens. So does the blind retry after a lost answer. There is no time
//!   of grace.
//! - An exchange that is refused (wrong secret, another client's, too wide a scope) uses nothing up.
//!
//! # Revocation and introspection
//!
//! - A token of `client_credentials` is revoked alone. Any token of a grant, **an access token and even a used
//!   refresh token included**, takes the other tokens of its grant along.
//! - 200 for a token that is dead or never was; 400 `invalid_request` for another client's, which stays; 400
//!   `unsupported_token_type` for what looks like a JWT.
//! - Introspection answers `{"active": false}` for all that is dead, used or unknown, and costs nothing.
//!
//! # Registration
//!
//! - GET shows the secret in clear. Its answer cannot be sent back as it is: PUT refuses
//!   `registration_access_token`, `registration_client_uri`, `client_secret_expires_at` and
//!   `client_id_issued_at` with 400 `invalid_request`. What PUT leaves out is reset.
//! - **PUT issues no new secret**, with the current one or without one; another one is 400
//!   `invalid_request`. A client that turns to `private_key_jwt` and back has its old secret again. So
//!   the secret rotates only under a policy of the server: [`Settings::new_secret_on_update`].
//! - Under it the old secret is dead at once, and what it minted lives on. A lost answer is found again by
//!   GET, unless the same PUT also replaced the registration access token
//!   ([`Settings::rotate_registration_access_tokens`]): then nothing that the client holds helps.
//! - A registration access token that is presented at another client's record is destroyed.
//! - DELETE is 204, later calls 401 `invalid_token`. Tokens of a deleted client **live on**.
//!
//! # Use
//!
//! ```no_run
//! # async fn example() {
//! use harness::oidc::{Endpoint, OidcProvider, Settings};
//! use serde_json::json;
//!
//! let client = json!({
//!     "client_id": "app", "client_secret": "secret", "grant_types": ["refresh_token"],
//! });
//! let server = OidcProvider::start(Settings::new().client(client)).await;
//! let token = server.issue_refresh_token("app", "somebody").await;
//! // Exchange it at server.token_url(), and then:
//! assert!(!server.is_live(&token).await);
//! assert_eq!(server.count(Endpoint::Token).await, 1);
//! # }
//! ```
//!
//! [oidc-provider]: https://github.com/panva/node-oidc-provider

mod launch;
mod server;
mod settings;
mod traffic;

pub use server::OidcProvider;
pub use settings::Settings;
pub use traffic::{Endpoint, LiveToken, OidcCall, TokenKind};

pub use crate::oauth_provider::Misbehaviour;
