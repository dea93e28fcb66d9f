//! Experiments: break it on purpose, under load, and judge both sides.
//!
//! An experiment is data ([`plan`]). It is played twice, with the same arrivals and the same faults: against the naive
//! endpoint and against the resilient one. What was seen of each is a [`trial`], again data; figures and verdicts follow
//! from it by pure functions. "Ran" and "passed" are different words.

mod account;
mod fault;
pub mod load;
pub mod look;
pub mod plan;
mod play;
mod policies;
mod progress;
mod scene;
pub mod results;
pub mod report;
mod seconds;
mod transitions;
pub mod trial;
pub mod verdict;
mod watch;

pub use scene::guard::stand as stand_guard;
mod run;
mod ablate;
pub use run::{Outcome, Wish, run};
