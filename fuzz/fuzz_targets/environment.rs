//! The operator's other settings, a line each: hosts, token, worker. Refused in one line, which shows neither the token nor
//! what stands before an address's `@`.

#![no_main]

use std::net::SocketAddr;

use holdfast_api::Settings;
use holdfast_ops::Environment;
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "Q7-Q7-Q7";

fuzz_target!(|text: &str| {
    if text.contains("Q7") {
        return;
    }
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (hosts, token, scheme, host) = (line(), line(), line(), line());
    let token = format!("{SECRET}{token}");
    let worker = format!("{scheme}{SECRET}@{host}");
    let environment = Environment::from([
        ("HOLDFAST_ALLOWED_HOSTS", hosts),
        ("HOLDFAST_ADMIN_TOKEN", &token),
        ("HOLDFAST_WORKER_URL", &worker),
        ("DATABASE_URL", "postgres://u@127.0.0.1:1/d"),
    ]);
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    let shown = match Settings::read(&environment, bind) {
        // Kept, never shown.
        Ok(_) => return,
        Err(refusal) => refusal.to_string(),
    };
    assert!(!shown.contains('\n') && !shown.contains("Q7"), "{shown:?}");
});
