//! What a reader gets to see of a run: a page of its own, an index over all runs, and the words for both.
//!
//! All of it is computed from plain data. A page is one file: it loads nothing, runs no script, and reads in light, in
//! dark, on paper and on a phone.

#![allow(
    missing_docs,
    reason = "the lab's alone: names say what things are, comments why"
)]

mod index;
mod outcome;
mod page;
mod plots;
#[cfg(test)]
mod sample;
mod series;
mod summary;
mod words;

use jiff::Timestamp;

use holdfast_checker::plan::Experiment;
use holdfast_checker::stage::StageKind;
use holdfast_checker::trial::Trial;
use holdfast_checker::verdict::Verdict;

/// A template that could not be filled in.
pub use askama::Error;
pub use index::{Listed, Others, index};
pub use page::html;
pub use page::judged::{sentence, word};
pub use summary::{Row, Summary, rows, tiles};

#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    pub experiment: &'a Experiment,
    pub naive: &'a Trial,
    pub resilient: &'a Trial,
    pub verdict: &'a Verdict,
    pub facts: &'a Facts,
    /// What repeated trials show; empty: there was one of each side.
    pub repeats: &'a [Repeat],
}

/// Where, when and with what an experiment was played.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The run's name, unique for its experiment.
    pub run: String,
    pub started: Timestamp,
    pub stage: StageKind,
    pub seed: u64,
    /// The git revision, with what is said of uncommitted changes.
    pub revision: String,
    /// The machine, in a line: system, processor, cores, memory.
    pub machine: String,
    /// The policy file in force, as text.
    pub policies: String,
}

/// A figure over repeated trials, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    pub name: String,
    pub trials: usize,
    /// The naive side's median and its interval, such as `4.91 s (4.80 to 5.02)`.
    pub naive: String,
    pub resilient: String,
    pub effect: String,
}
