//! The fault proxy before a real server: every fault bites new and existing connections, and every heal heals.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may be blunt"
)]

mod blackhole;
mod connections;
mod postgres;
mod requests;
mod shares;
mod support;
mod waiting;
