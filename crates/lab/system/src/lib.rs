//! The system under test: the three services on a stage that a user brings up (local processes, Compose, Swarm), or one of a
//! command's own, and how each part is started, killed, paused, healed, asked and looked at.
//!
//! The services are black boxes to it: it knows their HTTP contract and their process names, nothing else. It stands on the
//! testbed and the checker, whose rooms go by their own names here.

#![allow(
    missing_docs,
    reason = "not published: a comment stands where a name does not say it all"
)]

pub mod accepted;
pub mod database;
pub mod debian;
pub mod error;
pub mod guard;
mod lock;
pub mod probe;
pub mod program;
pub mod run_dir;
pub mod service;
pub mod settings;
pub mod settle;
pub mod stage;
pub mod system;

use holdfast_checker::{hint, plan, seconds, trial};
use holdfast_testbed::{files, link, logs, output, ports, postgres, process, proxy, wait};
