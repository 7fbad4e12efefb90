//! OAuth 1.0a signatures with HMAC-SHA1 (RFC 5849, section 3.4).

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::zeroize::Zeroizing;
use secrets_core::rotator::RotatorError;

use crate::web::percent::{encode, hex};

/// Who signs: an app, and the account that owns it.
pub(super) struct Signer<'a> {
    pub(super) consumer_key: &'a str,
    pub(super) consumer_secret: &'a str,
    pub(super) token: &'a str,
    pub(super) token_secret: &'a str,
}

/// What makes every signature another one.
pub(super) struct Moment {
    pub(super) nonce: String,
    /// Seconds since 1970.
    pub(super) timestamp: u64,
}

impl Moment {
    /// Now, with a nonce of 128 random bits.
    pub(super) fn now() -> Result<Self, RotatorError> {
        let mut random = [0; 16];
        SystemRandom::new().fill(&mut random).map_err(|_| {
            RotatorError::unreachable("the system gave no random bytes; try again later")
        })?;
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Ok(Self {
            nonce: hex(&random),
            timestamp: since.map_or(0, |since| since.as_secs()),
        })
    }
}

impl Signer<'_> {
    /// The header `Authorization` for a request with these parameters in its form.
    pub(super) fn authorization(
        &self,
        method: &str,
        url: &Url,
        form: &[(&str, &[u8])],
        moment: &Moment,
    ) -> Zeroizing<String> {
        let timestamp = moment.timestamp.to_string();
        let protocol = [
            ("oauth_consumer_key", self.consumer_key),
            ("oauth_nonce", &moment.nonce),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", &timestamp),
            ("oauth_token", self.token),
            ("oauth_version", "1.0"),
        ];
        let mut signed: Vec<(&str, &[u8])> = form.to_vec();
        signed.extend(protocol.map(|(name, value)| (name, value.as_bytes())));
        let base = base_string(method, url, &signed);
        let signature = self.sign(&base);

        let mut header = Zeroizing::new(String::from("OAuth "));
        for (name, value) in protocol
            .into_iter()
            .chain([("oauth_signature", &*signature)])
        {
            if !header.ends_with(' ') {
                header.push_str(", ");
            }
            header.push_str(name);
            header.push_str("=\"");
            header.push_str(&encode(value.as_bytes()));
            header.push('"');
        }
        header
    }

    fn sign(&self, base: &str) -> String {
        let key = Zeroizing::new(format!(
            "{}&{}",
            *encode(self.consumer_secret.as_bytes()),
            *encode(self.token_secret.as_bytes())
        ));
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
        STANDARD.encode(hmac::sign(&key, base.as_bytes()))
    }
}

/// Section 3.4.1: method, URL without its query, and all parameters in order.
fn base_string(method: &str, url: &Url, parameters: &[(&str, &[u8])]) -> Zeroizing<String> {
    // The query's are decoded as a form's, so a `+` is a space.
    let query: Vec<_> = url.query_pairs().into_owned().collect();
    let query = query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let mut pairs: Vec<_> = query
        .chain(parameters.iter().copied())
        .map(|(name, value)| (encode(name.as_bytes()), encode(value)))
        .collect();
    pairs.sort_by(|one, two| (&*one.0, &*one.1).cmp(&(&*two.0, &*two.1)));
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| Zeroizing::new(format!("{}={}", **name, **value)))
        .collect();
    let pairs: Vec<&str> = pairs.iter().map(|pair| pair.as_str()).collect();
    let pairs = Zeroizing::new(pairs.join("&"));
    // A default port is left out by the type already, and the host is in lower case.
    let place = format!("{}://{}{}", url.scheme(), url.authority(), url.path());
    Zeroizing::new(format!(
        "{method}&{}&{}",
        *encode(place.as_bytes()),
        *encode(pairs.as_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_string_of_rfc_5849_section_3_4_1_1() {
        let url = Url::parse("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b")
            .expect("a URL");
        let parameters: [(&str, &[u8]); 7] = [
            ("c2", b""),
            ("a3", b"2 q"),
            ("oauth_consumer_key", b"9djdj82h48djs9d2"),
            ("oauth_token", b"kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", b"HMAC-SHA1"),
            ("oauth_timestamp", b"137131201"),
            ("oauth_nonce", b"7d8f3e4a"),
        ];
        assert_eq!(
            *base_string("POST", &url, &parameters),
            *"POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25\
              253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26\
              oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k3\
              9sjv7"
        );
    }

    #[test]
    fn the_signature_of_rfc_5849_section_1_2() {
        let url = Url::parse("http://photos.example.net/photos?file=vacation.jpg&size=original")
            .expect("a URL");
        let signer = Signer {
            consumer_key: "dpf43f3p2l4k3l03",
            consumer_secret: "kd94hf93k423kf44",
            token: "nnch734d00sl2jdk",
            token_secret: "pfkkdhi9sl3r4s00",
        };
        let base = base_string(
            "GET",
            &url,
            &[
                ("oauth_consumer_key", b"dpf43f3p2l4k3l03"),
                ("oauth_token", b"nnch734d00sl2jdk"),
                ("oauth_signature_method", b"HMAC-SHA1"),
                ("oauth_timestamp", b"137131202"),
                ("oauth_nonce", b"chapoH"),
            ],
        );
        assert_eq!(signer.sign(&base), "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
    }

    #[test]
    fn the_example_of_the_signature_guide_of_x() {
        let url =
            Url::parse("https://api.twitter.com/1.1/statuses/update.json?include_entities=true")
                .expect("a URL");
        let signer = Signer {
            consumer_key: "xvz1evFS4wEEPTGEFPHBog",
            consumer_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
            token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
            token_secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
        };
        let moment = Moment {
            nonce: "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg".into(),
            timestamp: 1_318_622_958,
        };
        let form: [(&str, &[u8]); 1] = [(
            "status",
            b"Hello Ladies + Gentlemen, a signed OAuth request!",
        )];
        assert_eq!(
            *signer.authorization("POST", &url, &form, &moment),
            *"OAuth oauth_consumer_key=\"xvz1evFS4wEEPTGEFPHBog\", \
              oauth_nonce=\"kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg\", \
              oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1318622958\", \
              oauth_token=\"370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb\", oauth_version=\"1.0\", \
              oauth_signature=\"hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D\""
        );
    }

    #[test]
    fn no_two_moments_are_the_same() {
        let [one, two] = [(); 2].map(|()| Moment::now().expect("random bytes"));
        assert_ne!(one.nonce, two.nonce);
        assert_eq!(one.nonce.len(), 32);
        assert!(one.timestamp > 1_600_000_000);
    }
}
