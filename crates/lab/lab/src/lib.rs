//! The command `lab`: puts the system on a stage, breaks it, compares, measures, and has experiments played.
//!
//! What it does is done by the crates below, whose rooms go by their own names here.

mod alone;
mod api_check;
mod bench;
pub mod cli;
mod compare;
pub mod control;
mod demo;
mod error;
mod observe;

use holdfast_chaos::{durability, load};
use holdfast_checker::figures;
use holdfast_system::{
    accepted, database, debian, guard, program, run_dir, settings, settle, stage, system,
};
use holdfast_testbed::{logs, open_files, output, ports, postgres, process, wait};
