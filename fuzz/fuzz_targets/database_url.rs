//! `DATABASE_URL`: taken or refused in one line, which never shows a part of the password.

#![no_main]

use std::net::SocketAddr;

use holdfast_api::Settings;
use holdfast_ops::Environment;
use libfuzzer_sys::fuzz_target;

/// Of characters that no parameter's name has.
const PASSWORD: &str = "Q7-Q7-Q7";

fuzz_target!(|text: &str| {
    // Each of these in turn: the API reads its policies as well each time, which takes longer.
    let url = match text.len() % 4 {
        0 => text.to_owned(),
        1 => format!("postgres://u:{PASSWORD}@{text}"),
        2 => format!("host=h user=u password={PASSWORD} {text}"),
        _ => format!("{text} password='{PASSWORD}'"),
    };
    let environment = Environment::from([
        ("HOLDFAST_WORKER_URL", "http://127.0.0.1:1"),
        ("DATABASE_URL", url.as_str()),
    ]);
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    if let Err(refusal) = Settings::read(&environment, bind) {
        let refusal = refusal.to_string();
        assert!(!refusal.contains('\n'), "{refusal:?}");
        let is_secret = !text.contains("Q7") && refusal.contains("Q7");
        assert!(!is_secret, "{url}: {refusal}");
    }
});
