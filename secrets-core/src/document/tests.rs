use secrecy::{ExposeSecret, SecretString};

use super::*;

const DATABASE: &str = r#"{"engine":"postgres","host":"db","port":5432,"username":"app",
    "password":"sentinel-1","ssl":"False","big":123456789012345678901234567890,"f":1.50,
    "tags":{"b":1,"a":[true,null]},"rôle":"é\u00e9\ud83d\ude00"}"#;

fn text_of(document: &SecretDocument) -> String {
    match document.expose() {
        Exposed::Text(text) => text.expose_secret().to_owned(),
        Exposed::Binary(_) => panic!("bytes where text was expected"),
    }
}

#[test]
fn unknown_keys_and_number_formats_survive_a_patch() {
    let old = SecretDocument::from_text(DATABASE);
    let new = old
        .patched(&Patch::key("password", "sent\"inel-2\\".into()).and("extra", "x".into()))
        .expect("a patch that fits");
    let text = text_of(&new);
    for kept in [
        r#""big": 123456789012345678901234567890"#,
        r#""f": 1.50"#,
        r#""tags": {"b":1,"a":[true,null]}"#,
        r#""rôle": "é\u00e9\ud83d\ude00""#,
        r#""password": "sent\"inel-2\\""#,
    ] {
        assert!(text.contains(kept), "{kept} is not in {text}");
    }
    let order: Vec<_> = new.keys().collect();
    assert_eq!(
        order,
        [
            "engine", "host", "port", "username", "password", "ssl", "big", "f", "tags", "rôle",
            "extra"
        ]
    );
    assert_eq!(new.differing_keys(&old), ["password", "extra"]);
    let password = new.text("password").expect("the new password");
    assert_eq!(password.expose_secret(), "sent\"inel-2\\");
}

#[test]
fn documents_are_compared_by_meaning() {
    let same = [
        (r#"{"a":"\u00e9","n":1e2}"#, r#"{ "n" : 100.0, "a" : "é" }"#),
        (r#"{"o":{"x":1,"y":2}}"#, r#"{"o":{"y":2,"x":1}}"#),
        ("plain", "plain"),
    ];
    for (one, two) in
        same.map(|(a, b)| (SecretDocument::from_text(a), SecretDocument::from_text(b)))
    {
        assert_eq!(one.differing_keys(&two), [""; 0]);
    }
    let other = [
        (r#"{"a":"1"}"#, r#"{"a":1}"#, "a"),
        (r#"{"a":1}"#, r#"{"b":1,"a":1}"#, "b"),
        (r#"{"b":1,"a":1}"#, r#"{"a":1}"#, "b"),
        (
            r#"{"n":9007199254740993}"#,
            r#"{"n":9007199254740992}"#,
            "n",
        ),
        ("plain", "other", ""),
        ("plain", r#"{"a":1}"#, ""),
    ];
    for (one, two, key) in other {
        let differing =
            SecretDocument::from_text(one).differing_keys(&SecretDocument::from_text(two));
        assert_eq!(differing, [key], "{one} {two}");
    }
    let bytes = |b: &[u8]| SecretDocument::from_bytes(b.to_vec());
    assert_eq!(bytes(b"a").differing_keys(&bytes(b"a")), [""; 0]);
    assert_eq!(bytes(b"a").differing_keys(&bytes(b"b")), [""]);
}

#[test]
fn each_fault_names_its_key_and_no_value() {
    let secret = SecretDocument::from_text(
        r#"{"number": 7, "empty": "", "nothing": null, "text": "sentinel", "port": 70000, "zero": 0}"#,
    );
    let faults = [
        secret.text("absent").map(drop),
        secret.text("nothing").map(drop),
        secret.text("number").map(drop),
        secret.text("empty").map(drop),
        secret.port("text").map(drop),
        secret.port("port").map(drop),
        secret.port("zero").map(drop),
        secret.flag("text").map(drop),
    ]
    .map(|fault| fault.expect_err("a fault"));
    assert_eq!(
        faults.clone().map(|fault| fault.to_string()),
        [
            "`absent` is missing; add it to the secret",
            "`nothing` is missing; add it to the secret",
            "`number` must be a string; correct it in the secret",
            "`empty` is empty; give it a value in the secret",
            "`text` must be a port from 1 to 65535; correct it in the secret",
            "`port` must be a port from 1 to 65535; correct it in the secret",
            "`zero` must be a port from 1 to 65535; correct it in the secret",
            "`text` must be true or false; correct it in the secret",
        ]
    );
    assert!(!format!("{faults:?}").contains("sentinel"));
}

#[test]
fn flags_and_ports_are_read_as_awss_functions_write_them() {
    let secret = SecretDocument::from_text(
        r#"{"a": true, "b": "True", "c": false, "d": "FALSE", "p": 5432, "q": "5432"}"#,
    );
    assert_eq!(
        ["a", "b", "c", "d", "e"].map(|key| secret.flag(key)),
        [
            Ok(Some(true)),
            Ok(Some(true)),
            Ok(Some(false)),
            Ok(Some(false)),
            Ok(None)
        ]
    );
    assert_eq!(
        ["p", "q", "r"].map(|key| secret.port(key)),
        [Ok(Some(5432)), Ok(Some(5432)), Ok(None)]
    );
}

#[test]
fn text_and_bytes_say_what_they_are() {
    for (document, message) in [
        (
            SecretDocument::from_text("sentinel"),
            "the secret is plain text; it must be a JSON object",
        ),
        (
            SecretDocument::from_text("\"sentinel\""),
            "the secret is plain text; it must be a JSON object",
        ),
        (
            SecretDocument::from_text("{\"password\": \"sentinel\",}"),
            "the secret is broken JSON (at line 1, column 25); it must be a JSON object",
        ),
        (
            SecretDocument::from_text("{\"password\": \"sentinel\"} x"),
            "the secret is broken JSON (at line 1, column 26); it must be a JSON object",
        ),
        (
            SecretDocument::from_bytes(b"sentinel".to_vec()),
            "the secret is binary; it must be a JSON object",
        ),
    ] {
        let fault = document.text("password").expect_err("no object");
        assert_eq!(fault.to_string(), message);
        let patch = Patch::key("password", "sentinel".into());
        assert_eq!(document.patched(&patch).err(), Some(fault));
    }
    let text = SecretDocument::from_text("old")
        .patched(&Patch::Text("new".into()))
        .expect("text");
    assert_eq!(
        text.plain_text().map(ExposeSecret::expose_secret),
        Ok("new")
    );
    let object = SecretDocument::from_text("{}");
    assert_eq!(
        object.plain_text().expect_err("an object").to_string(),
        "the secret is a JSON object; it must be plain text"
    );
}

#[test]
fn debug_shows_key_names_and_nothing_else() {
    assert_eq!(
        format!(
            "{:?}",
            SecretDocument::from_text(r#"{"a":"sentinel","b":1}"#)
        ),
        r#"SecretDocument { keys: ["a", "b"] }"#
    );
    assert_eq!(
        format!("{:?}", SecretDocument::from_text("sentinel")),
        "SecretDocument { text: [redacted] }"
    );
    assert_eq!(
        format!("{:?}", SecretDocument::from_bytes(b"sentinel".to_vec())),
        "SecretDocument { binary: [redacted] }"
    );
    assert_eq!(
        format!("{:?}", Patch::Text("sentinel".into())),
        "Patch { text: [redacted] }"
    );
}

#[test]
fn a_value_that_no_secret_holds_is_refused() {
    let full = SecretString::from("x".repeat(MAX_SECRET_BYTES));
    let document = SecretDocument::from_text("old");
    assert!(document.patched(&Patch::Text(full.clone())).is_ok());
    let object = SecretDocument::from_text("{}");
    assert_eq!(
        object.patched(&Patch::key("k", full)).err(),
        Some(DocumentError::TooLong {
            bytes: MAX_SECRET_BYTES + 9
        })
    );
}

#[test]
fn the_last_of_two_equal_keys_holds_and_only_named_keys_are_taken_over() {
    let twice = SecretDocument::from_text(r#"{"a":1,"b":2,"a":3}"#);
    assert_eq!(text_of(&twice), r#"{"a": 3, "b": 2}"#);
    let old = SecretDocument::from_text(r#"{"password":"old","host":"old","gone":1}"#);
    let new = SecretDocument::from_text(r#"{"host":"new","password":"new","token":"t"}"#);
    assert_eq!(
        text_of(&new.with_keys_from(&old, &["password", "token"])),
        r#"{"host": "new", "password": "old"}"#
    );
}

#[test]
fn a_list_of_texts_is_read_whole_or_not_at_all() {
    let secret = SecretDocument::from_text(
        r#"{"two": ["a", "b\u0041"], "none": null, "no list": "a", "mixed": ["a", 1], "hole": ["a", ""]}"#,
    );
    let texts = secret
        .optional_texts("two")
        .expect("a list")
        .expect("there");
    let texts: Vec<_> = texts.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(texts, ["a", "bA"]);
    for absent in ["none", "nowhere"] {
        assert!(secret.optional_texts(absent).expect("no fault").is_none());
    }
    for key in ["no list", "mixed", "hole"] {
        assert_eq!(
            secret.optional_texts(key).expect_err("no list of texts"),
            DocumentError::WrongType {
                key,
                expected: "a list of strings, none of them empty",
            }
        );
    }
}
