//! What is done to a system under test: load as clients make it, faults put in force, proved and ended, and afterwards the
//! account of what was promised to whom.

#![allow(
    missing_docs,
    reason = "not published: a comment stands where a name does not say it all"
)]

pub mod durability;
pub mod fault;
pub mod load;

use holdfast_checker::{figures, plan, trial};
use holdfast_system::{accepted, database, error, probe, settle, stage, system};
#[cfg(test)]
use holdfast_testbed::ports;
use holdfast_testbed::{output, postgres, proxy, wait};
