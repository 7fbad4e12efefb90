//! How a client proves who it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderName};
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use secrets_core::rotator::RotatorError;

use super::ClientCredential;
use super::message::Message;
use crate::configuration::Fields;
use crate::oauth::assertion::{Algorithm, Assertion, Purpose, private_key};
use crate::web::Template;
use crate::web::http::{Identity, certificates};
use crate::web::percent::encode;

/// The field `client_authentication`.
#[derive(Clone, Debug)]
pub(crate) enum ClientAuthentication {
    /// HTTP Basic (RFC 6749, section 2.3.1).
    Basic,
    /// `client_id` and `client_secret` among the parameters (the same section).
    Post,
    /// An assertion signed with the client secret (RFC 7523, section 2.2).
    ClientSecretJwt,
    /// An assertion signed with the private key (the same section).
    PrivateKeyJwt,
    /// The certificate of the TLS handshake (RFC 8705).
    Mtls,
    /// A public client, or a grant that says enough: `client_id` where there is one.
    None,
    /// A header of the provider's own.
    Header(HeaderName, Template),
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl ClientAuthentication {
    pub(crate) fn read(fields: &mut Fields, name: &str) -> Option<Self> {
        if !fields.has(name) {
            return None;
        }
        if fields.is_object(name) {
            return fields.object(name, |header| {
                let name = header.required("header", header_name);
                let value = header.required("value", Template::parse);
                Some(Self::Header(name?, value?))
            });
        }
        let words = [
            ("basic", 0),
            ("post", 1),
            ("client_secret_jwt", 2),
            ("private_key_jwt", 3),
            ("mtls", 4),
            ("none", 5),
        ];
        Some(match fields.choice(name, words) {
            0 => Self::Basic,
            1 => Self::Post,
            2 => Self::ClientSecretJwt,
            3 => Self::PrivateKeyJwt,
            4 => Self::Mtls,
            _ => Self::None,
        })
    }

    /// Adds the client's proof to a request.
    pub(super) fn prove(
        &self,
        message: &mut Message,
        client: &ClientCredential,
        assertion: &Assertion,
        audience: &str,
    ) -> Result<(), RotatorError> {
        let id = || client.text("client_id");
        match self {
            Self::Basic => {
                let (id, secret) = (id()?, client.text("client_secret")?);
                // Both are encoded first: either may hold a colon.
                let pair = Zeroizing::new(format!(
                    "{}:{}",
                    *encode(id.expose_secret().as_bytes()),
                    *encode(secret.expose_secret().as_bytes())
                ));
                let header = Zeroizing::new(format!("Basic {}", STANDARD.encode(&*pair)));
                message.header(&AUTHORIZATION, &header)?;
            }
            Self::Post => {
                message.add("client_id", id()?.expose_secret());
                message.add(
                    "client_secret",
                    client.text("client_secret")?.expose_secret(),
                );
            }
            Self::ClientSecretJwt | Self::PrivateKeyJwt => {
                let algorithm = match self {
                    Self::ClientSecretJwt => Algorithm::Hs256,
                    _ => assertion.algorithm,
                };
                let signed = assertion.sign(Purpose::Client, algorithm, client, audience)?;
                message.add("client_id", id()?.expose_secret());
                message.add("client_assertion_type", ASSERTION_TYPE);
                message.add("client_assertion", &signed);
            }
            Self::Mtls => message.add("client_id", id()?.expose_secret()),
            Self::None => {
                if let Some(id) = client.find("client_id") {
                    message.add("client_id", id.expose_secret());
                }
            }
            Self::Header(name, template) => {
                message.header(name, &client.fill(template, "client_authentication.value")?)?;
            }
        }
        Ok(())
    }

    /// What the client shows in the TLS handshake.
    pub(super) fn identity(
        &self,
        client: &ClientCredential,
    ) -> Result<Option<Identity>, RotatorError> {
        if !matches!(self, Self::Mtls) {
            return Ok(None);
        }
        let pem = client.text("certificate")?;
        let chain = certificates(pem.expose_secret())
            .map_err(|rule| client.fault("certificate", &rule.to_string()))?;
        let key = private_key(client)?;
        Ok(Some(Identity { chain, key }))
    }

    /// What to check where the provider refuses the client.
    pub(super) fn remedy(&self, client: &ClientCredential) -> String {
        let place = client.place();
        match self {
            Self::Basic | Self::Post => format!("check `client_id` and `client_secret` in {place}"),
            Self::ClientSecretJwt | Self::PrivateKeyJwt => {
                let key = match self {
                    Self::ClientSecretJwt => "client_secret",
                    _ => "private_key",
                };
                format!(
                    "check `client_id` and `{key}` in {place}, `assertion.audience`, and whether the \
                     provider's clock is behind (raise `assertion.backdate_seconds`) or ahead (raise \
                     `assertion.lifetime_seconds`)"
                )
            }
            Self::Mtls => {
                format!(
                    "check `client_id`, and that the provider knows the `certificate` in {place}"
                )
            }
            Self::None => {
                format!("check `client_id` in {place}, and whether it may go without a proof")
            }
            Self::Header(..) => {
                format!("check `client_authentication`, and the keys that it names in {place}")
            }
        }
    }
}

/// A header that may be configured; those that frame a message are not.
pub(crate) fn header_name(text: &str) -> Result<HeaderName, &'static str> {
    const FRAMING: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];
    let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| "must be a header's name")?;
    if FRAMING.contains(&name.as_str()) {
        return Err("must not be a header that frames the message");
    }
    Ok(name)
}
