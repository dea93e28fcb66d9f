//! The lab: puts the system on a stage, breaks it, compares, measures.
//!
//! The services are black boxes to it: it knows their HTTP contract and their process names, nothing else. It
//! stands on the testbed and the checker, whose rooms go by their own names here.

pub mod accepted;
pub mod api_check;
pub mod bench;
pub mod check;
pub mod cli;
pub mod compare;
pub mod control;
pub mod debian;
pub mod demo;
pub mod error;
pub mod experiment;
pub mod guard;
pub mod load;
pub mod observe;
mod own_folder;
pub mod service;
pub mod settings;
pub mod settle;
pub mod stage;
mod system;
pub mod torture;

use holdfast_checker::{figures, hint};
use holdfast_testbed::{files, logs, output, ports, postgres, process, proxy, wire};
