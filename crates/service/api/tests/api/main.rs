//! The API over real sockets, with the real worker and a real Postgres behind fault proxies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says bluntly what it expects"
)]

mod access;
mod attribution;
mod bad_entries;
mod bad_input;
mod both_failures;
mod connections;
mod contract;
mod dashboard;
mod database_failures;
mod endpoints;
mod healthy;
mod idempotency;
mod isolation;
mod journal;
mod key_retention;
mod leaving;
mod lifecycle;
mod metrics_guide;
mod openapi;
mod operator;
mod overload;
mod pool;
mod recovery;
mod replay;
mod requeue;
mod requeue_killed;
mod retention;
mod role;
mod schema;
mod standby;
mod support;
mod told;
mod traces;
mod truth;
mod waiting;
mod worker_failures;
