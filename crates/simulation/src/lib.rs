//! The service's core in virtual time: its real use case, recorder, recovery, journal and policies, on one thread, over a world
//! that is a model and does its worst.
//!
//! A [`plan`] is drawn from a seed, [`run`] plays it, `check` judges it, `shrink` makes what still fails shorter.
//! [`experiment`] plays what the lab plays, for the lab to judge. `postgres` is the model of the database, `world` all else.
//! What must not be true: a run depends on anything but its seed (no wall clock, no thread, no order of a hash map); code under
//! test is copied here or knows that it is simulated.

mod api;
mod check;
mod client;
mod director;
pub mod experiment;
pub mod fault;
mod history;
mod map;
pub mod mutant;
mod naive;
pub mod plan;
pub mod postgres;
mod replica;
pub mod report;
pub mod run;
mod shrink;
pub mod world;
