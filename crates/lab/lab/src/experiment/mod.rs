//! Experiments: break it on purpose, under load, and judge both sides.
//!
//! An experiment is data ([`plan`]). It is played twice, with the same arrivals and the same faults: against the naive
//! endpoint and against the resilient one. What was seen of each is a [`trial`], again data; figures and verdicts follow
//! from it by pure functions. "Ran" and "passed" are different words.

mod ablate;
mod account;
pub mod contender;
mod fault;
mod find;
mod grade;
pub mod look;
mod play;
mod policies;
mod progress;
pub mod report;
pub mod results;
mod run;
mod scene;
mod watch;

pub use ablate::ablate;
pub use grade::{Answer, grade, predict};
pub use run::{Outcome, Wish, list, report as write_report, reproduce, run};
pub(crate) use scene::end_stale as end_stale_containers;
pub(crate) use scene::end_stale_nodes;

#[cfg(test)]
use holdfast_checker::invented;
pub use holdfast_checker::{measure, plan, schema, statistics, trial, verdict};
use holdfast_checker::{seconds, transitions};
