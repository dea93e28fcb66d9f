//! What a scene is made of, as data.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::system::{Contender, Wired, WorkerSpec};

/// What a scene is made of.
#[derive(Debug, Clone)]
pub struct Making {
    /// The policy file's text.
    pub policies: String,
    /// How long the worker works on a call.
    pub work_delay: Duration,
    /// Works done at once; none: as many as arrive.
    pub work_capacity: Option<NonZeroU32>,
    /// How many workers there are.
    pub workers: NonZeroU32,
    /// Where a breakable wire stands.
    pub wired: Wired,
    /// Whether the worker moves: then a second one needs room beside the first.
    pub replaced: bool,
    /// Of the wires' random choices.
    pub seed: u64,
    /// Started in the place of our API.
    pub contender: Option<Contender>,
}

impl Making {
    pub(super) fn worker(&self) -> WorkerSpec {
        WorkerSpec {
            capacity: self.work_capacity,
            ..WorkerSpec::new(self.work_delay)
        }
    }
}
