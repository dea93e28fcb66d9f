//! What is done to a system under test: load as clients make it, faults put in force, proved and ended, and afterwards the
//! account of what was promised to whom.

pub mod durability;
pub mod error;
pub mod fault;
pub mod load;

use holdfast_checker::{figures, plan, trial};
use holdfast_system::{accepted, database, probe, settle, stage, system, wait};
#[cfg(test)]
use holdfast_testbed::ports;
use holdfast_testbed::{output, postgres, proxy};
