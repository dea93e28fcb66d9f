//! Holdfast's policy crate beside failsafe, recloser, seatbelt and tower-resilience: the same questions to
//! each, put through its documented API.
//!
//! `cargo run --release -p holdfast-rivals --bin probes` prints what each of them does when a call
//! hangs, panics, is slow, or comes back after the breaker has moved on. Every cell is observed from
//! outside, by whether calls reach the dependency; nothing asks a crate for its state.

pub mod contenders;
#[cfg(feature = "probes")]
pub mod probes;
