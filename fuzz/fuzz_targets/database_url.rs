//! `DATABASE_URL`: taken or refused in one line, which never shows a part of the password.

#![no_main]

use std::net::SocketAddr;

use holdfast_api::Settings;
use holdfast_ops::Environment;
use libfuzzer_sys::fuzz_target;

/// Of characters that no parameter's name has.
const PASSWORD: &str = "Q7-Q7-Q7";

fuzz_target!(|text: &str| {
    for url in [
        text.to_owned(),
        format!("postgres://u:{PASSWORD}@{text}"),
        format!("host=h user=u password={PASSWORD} {text}"),
        format!("{text} password='{PASSWORD}'"),
    ] {
        let environment = Environment::from([
            ("HOLDFAST_WORKER_URL", "http://127.0.0.1:1"),
            ("DATABASE_URL", url.as_str()),
        ]);
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        if let Err(refusal) = Settings::read(&environment, bind) {
            let refusal = refusal.to_string();
            assert!(!refusal.contains('\n'), "{refusal:?}");
            assert!(text.contains("Q7") || !refusal.contains("Q7"), "{url}: {refusal}");
        }
    }
});
