//! Experiments: break it on purpose, under load, and judge both sides.
//!
//! An experiment is data ([`plan`]). It is played twice, with the same arrivals and the same faults: against the naive
//! endpoint and against the resilient one. What was seen of each is a [`trial`], again data; figures and verdicts follow
//! from it by pure functions. "Ran" and "passed" are different words.

#![allow(
    missing_docs,
    reason = "the lab's alone: names say what things are, comments why"
)]

mod ablate;
pub mod contender;
pub mod error;
mod find;
mod grade;
mod modelled;
mod play;
mod policies;
mod progress;
mod report;
mod results;
mod run;
pub mod torture;
mod under_load;
mod watch;

pub use ablate::ablate;
pub use grade::{Answer, grade, predict};
pub use run::{Outcome, RunOptions, list, report as write_report, reproduce, run};

use holdfast_chaos::{durability, fault, load};
#[cfg(test)]
use holdfast_checker::fixtures;
use holdfast_checker::{
    hint, measure, plan, schema, seconds, statistics, transitions, trial, verdict,
};
use holdfast_system::{accepted, database, guard, settings, settle, stage, system};
use holdfast_testbed::{files, output, postgres, proxy};
