//! How many copies of a secret are in the memory of the process: read back from /proc/self/mem. A binary of
//! its own, with one test, since it looks at everything.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    reason = "a test that panics is a test that fails"
)]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use secrecy::SecretString;
use secrets_core::client::SecretsClient;
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::store::{SecretReader, SecretVersion, StoreError, Version};
use zeroize::Zeroizing;

/// The secret, each byte with all bits turned, so that this program itself holds no copy of it.
const TURNED: &[u8] = &[
    !b'r', !b'e', !b's', !b'i', !b'd', !b'u', !b'e', !b'-', !b'7', !b'f', !b'3', !b'a', !b'9',
    !b'c', !b'1', !b'e', !b'5', !b'b', !b'2', !b'd', !b'8', !b'4', !b'6', !b'0',
];

/// Makes its values anew for each call, as a reply of the service is, and keeps none.
struct Service(&'static str);

impl SecretReader for Service {
    async fn get(&self, _: &SecretId, _: &Version) -> Result<SecretVersion, StoreError> {
        let mut text = Zeroizing::new(Vec::with_capacity(128));
        text.extend_from_slice(br#"{"username": "app", "password": ""#);
        text.extend(TURNED.iter().map(|byte| !byte));
        text.extend_from_slice(br#""}"#);
        let text = std::str::from_utf8(&text).expect("ASCII");
        Ok(SecretVersion {
            id: self.0.into(),
            labels: [].into(),
            created: None,
            arn: None,
            document: SecretDocument::from_text(text),
        })
    }
}

struct Login {
    _password: SecretString,
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            _password: secret.text("password")?,
        })
    }
}

/// The number of copies in everything that this process may write to.
fn copies() -> usize {
    let maps = fs::read_to_string("/proc/self/maps").expect("a Linux process");
    let memory = File::open("/proc/self/mem").expect("one's own memory");
    let mut found = 0;
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (
            fields.next().expect("a range"),
            fields.next().expect("rights"),
        );
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').expect("two ends");
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).expect("hex"));
        // It is turned as it is read, so that the search makes no copies of what it looks for.
        let mut window = vec![0; TURNED.len() * 4096];
        // What it has read, and turned, lies in memory, too.
        let own = window.as_ptr().addr() as u64..(window.as_ptr().addr() + window.len()) as u64;
        let mut at = from;
        while at < to {
            let room = usize::try_from(to - at).expect("64 bits").min(window.len());
            let Ok(read) = memory.read_at(&mut window[..room], at) else {
                break;
            };
            window[..read].iter_mut().for_each(|byte| *byte = !*byte);
            let hits = window[..read].windows(TURNED.len()).enumerate();
            let hits = hits.filter(|(_, bytes)| *bytes == TURNED);
            found += hits
                .filter(|(n, _)| !own.contains(&(at + *n as u64)))
                .count();
            if read < TURNED.len() {
                break;
            }
            // A copy may lie across two windows.
            at += u64::try_from(read - TURNED.len() + 1).expect("64 bits");
        }
        window.fill(0);
    }
    found
}

#[tokio::test]
async fn two_copies_while_it_is_in_use_and_none_after() {
    let held = Zeroizing::new(TURNED.iter().map(|byte| !byte).collect::<Vec<u8>>());
    assert_eq!(copies(), 1, "the search finds what is there");
    drop(held);
    assert_eq!(copies(), 0, "and nothing else");

    let secrets = SecretsClient::new(Service("1"));
    let secret = secrets.get_secret("app/db").await.expect("a secret");
    assert_eq!(copies(), 1, "the document");
    let db = secrets.secret::<Login>("app/db").await.expect("a login");
    let login = db.current().expect("a login");
    assert_eq!(copies(), 2, "and what was made of it");
    let _ = format!("{secret:?} {login:?} {login} {secrets:?}");
    db.refresh().await.expect("a login");
    assert_eq!(copies(), 2, "the same version again is dropped at once");
    let again = db.clone();
    let shared = secret.clone();
    assert_eq!(copies(), 2, "guards and handles share");

    drop((secret, shared, login, again, db, secrets));
    assert_eq!(copies(), 0, "after the last one who holds it");
}
