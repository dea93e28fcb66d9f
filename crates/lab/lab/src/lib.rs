//! The lab: puts the system on a stage, breaks it, compares, measures.
//!
//! The services are black boxes to it: it knows their HTTP contract and their process names, nothing else. Two parts
//! serve other crates' tests as well: [`postgres::Cluster`], a real throw-away Postgres, and [`proxy::FaultProxy`], a
//! wire that breaks on command.

pub mod accepted;
pub mod api_check;
pub mod bench;
pub mod check;
pub mod cli;
pub mod compare;
pub mod debian;
pub mod demo;
pub mod error;
pub mod experiment;
pub mod exposition;
mod figures;
pub mod guard;
mod hint;
pub mod load;
mod logs;
pub mod observe;
pub mod output;
mod own_folder;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod settings;
pub mod settle;
pub mod stage;
mod together;
pub mod torture;
pub mod wire;
