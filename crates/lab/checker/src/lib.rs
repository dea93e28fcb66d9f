//! What an experiment says ([`schema`], [`plan`]), what was seen when it was played ([`trial`]), and what follows from
//! both: figures ([`measure`]), what pairs of trials have in common ([`statistics`]), and the judgement ([`verdict`]). And promises against rows ([`durability`]).
//!
//! Everything here is a pure function of its arguments: it starts nothing, waits for nothing and asks nobody.

#![allow(
    missing_docs,
    reason = "the lab's alone: names say what things are, comments why"
)]

pub mod arrivals;
pub mod contract;
pub mod durability;
pub mod figures;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod hint;
pub mod history;
pub mod measure;
mod metric;
pub mod plan;
pub mod schedule;
pub mod schema;
pub mod seconds;
pub mod stage;
pub mod statistics;
mod time;
pub mod transitions;
pub mod trial;
pub mod verdict;
