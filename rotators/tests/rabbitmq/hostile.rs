//! Names that are parts of a URL, or mean something in one. What the API was told is read on the way.

use std::collections::BTreeSet;

use harness::proxy::HttpProxy;
use secrets_core::rotator::RotatorErrorKind as Kind;
use serde_json::{Value, json};

use crate::support::{FIRST, Fixture, give_rights};

/// For users, virtual hosts and exchanges.
const NAMES: [&str; 13] = [
    "a/b",
    "../rotator",
    "..%2Frotator",
    "%2e%2e",
    "?x=y&z",
    "#fragment",
    "a b\tc\nd\r",
    "\"quoted\" 'x'",
    r"back\slash\..\",
    "+;,:@&=$",
    "näme € 名前",
    "{}[]|^`<>",
    "/",
];

#[tokio::test]
async fn names_stay_names() {
    let mut f = Fixture::start().await;
    f.plain("canary").await;
    let canary = f.server.get(&["users", "canary"]).await;
    let rotator = f.server.get(&["users", "rotator"]).await;
    let proxy = HttpProxy::start(&format!("http://127.0.0.1:{}", f.server.http_port())).await;
    let port = proxy
        .endpoint()
        .rsplit_once(':')
        .expect("a port")
        .1
        .to_owned();
    let ports = json!({"ssl": false, "port": f.server.amqp_port(), "management_port": port});
    let mut users = BTreeSet::from(["app", "canary", "root", "rotator"].map(str::to_owned));
    let mut vhosts = BTreeSet::from(["/", "shop"].map(str::to_owned));
    for name in NAMES.into_iter().chain([&*"x".repeat(249)]) {
        f.plain(name).await;
        f.server.put(&["vhosts", name], &Value::Null).await;
        give_rights(&f.server, name, name).await;
        let topic = json!({"exchange": name, "write": name.replace(['[', '{', '+', '?', '\\'], ""), "read": ""});
        f.server
            .put(&["topic-permissions", name, name], &topic)
            .await;
        f.put_current("proxied", &ports);
        let rotation = f.alternating();
        let clone = format!("{name}_clone");
        proxy.reset();
        for version in ["there", "back"] {
            f.rotates(&rotation, version).await;
            f.same_rights(name, &clone).await;
        }
        only_intended(&proxy, name);
        users.extend([name.to_owned(), clone]);
        vhosts.insert(name.to_owned());
    }
    let found = |list: Value| -> BTreeSet<String> {
        let list = list.as_array().expect("a list").clone();
        let names = list
            .iter()
            .map(|it| it["name"].as_str().expect("a name").to_owned());
        names.collect()
    };
    assert_eq!(found(f.server.get(&["users"]).await), users);
    assert_eq!(found(f.server.get(&["vhosts"]).await), vhosts);
    assert_eq!(f.server.get(&["users", "canary"]).await, canary);
    assert_eq!(f.server.get(&["users", "rotator"]).await, rotator);
    names_that_no_path_can_hold(&mut f).await;
    passwords_may_hold_every_sign(&mut f).await;
}

/// Each request, to the letter.
fn only_intended(proxy: &HttpProxy, name: &str) {
    let escaped = |name: &str| -> String {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        let escape = |byte: u8| {
            if plain(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        };
        name.bytes().map(escape).collect()
    };
    let (model, clone, vhost) = (
        escaped(name),
        escaped(&format!("{name}_clone")),
        escaped(name),
    );
    let mut changes = Vec::new();
    for call in proxy.calls() {
        let (method, path) = call.request.split_once(' ').expect("both");
        if method == "GET" {
            let known = [&model, &clone].iter().any(|user| {
                let user = format!("/api/users/{user}");
                [
                    user.clone(),
                    format!("{user}/permissions"),
                    format!("{user}/topic-permissions"),
                ]
                .iter()
                .any(|known| known == path)
            });
            assert!(known, "{name}: {}", call.request);
        } else {
            if let Some(hash) = call.body.get("password_hash") {
                assert!(
                    hash.as_str()
                        .is_some_and(|it| it.is_empty() || it.len() == 48)
                );
                assert!(call.body.get("password").is_none());
            }
            changes.push(call.request);
        }
    }
    let topic = format!("PUT /api/topic-permissions/{vhost}/{clone}");
    assert_eq!(
        changes,
        [
            format!("PUT /api/users/{clone}"),
            format!("PUT /api/permissions/{vhost}/{clone}"),
            topic.clone(),
            topic.clone(),
            topic,
            format!("PUT /api/user-limits/{clone}/max-connections"),
            format!("PUT /api/users/{clone}"),
            format!("PUT /api/users/{model}"),
        ]
    );
}

async fn names_that_no_path_can_hold(f: &mut Fixture) {
    let misconfigured = (Kind::Misconfigured, None);
    f.plain("usual").await;
    f.put_current("dots", &json!({"usernames": ["usual", ".."]}));
    f.fails(&f.alternating(), "2", misconfigured, "`..`").await;
    f.plain(&"é".repeat(125)).await;
    f.fails(&f.alternating(), "2", misconfigured, "255 bytes")
        .await;
}

async fn passwords_may_hold_every_sign(f: &mut Fixture) {
    let signs: String = (' '..='~').collect();
    let hostile = format!("{signs}ä€名\u{1}\n{FIRST}");
    f.plain("signs").await;
    let user = json!({"password": hostile, "tags": ""});
    f.server.put(&["users", "signs"], &user).await;
    f.put_current("signs", &json!({"password": hostile}));
    f.rotates(&f.alternating(), "2").await;
    assert_eq!(f.current_user().await, "signs_clone");
}
