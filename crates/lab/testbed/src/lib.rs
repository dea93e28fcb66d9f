//! The testbed: what a test or an experiment stands on. Processes that are found and ended for certain, ports,
//! [`postgres::Cluster`], a real throw-away Postgres, [`proxy::FaultProxy`], a link that breaks on command, [`link`], its
//! remote control, and what is said on the terminal.
//!
//! It knows no service: the tests of the API use it as the lab does.

#![allow(
    missing_docs,
    reason = "not published: a comment stands where a name does not say it all"
)]

pub mod exposition;
pub mod files;
pub mod link;
pub mod logs;
pub mod open_files;
pub mod output;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod wait;
