//! Experiments: break it on purpose, under load, and judge both sides.
//!
//! An experiment is data ([`plan`]). It is played twice, with the same arrivals and the same faults: against the naive
//! endpoint and against the resilient one. What was seen of each is a [`trial`], again data; figures and verdicts follow
//! from it by pure functions. "Ran" and "passed" are different words.

#[cfg(test)]
mod invented;
pub mod measure;
mod metric;
pub mod plan;
pub mod schema;
mod seconds;
pub mod statistics;
pub mod trial;
pub mod verdict;
