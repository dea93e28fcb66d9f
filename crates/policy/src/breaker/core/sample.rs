//! What the breaker is told of an attempt that is over.

use std::time::Duration;

use crate::breaker::probes::ProbeResult;
use crate::breaker::window::Record;

/// What a finished attempt has to say.
#[derive(Clone, Copy, Debug)]
pub(in crate::breaker) struct Sample {
    /// `None`: nothing about the dependency.
    pub(in crate::breaker) record: Option<Record>,
    /// The dependency answered.
    pub(in crate::breaker) answered: bool,
    /// What it failed by, if it did.
    pub(in crate::breaker) cause: &'static str,
    /// How long the dependency asked to be left alone.
    pub(in crate::breaker) retry_after: Option<Duration>,
}

impl Sample {
    /// Of an attempt that never got an answer, for reasons that are not the dependency's.
    pub(in crate::breaker) const NOTHING: Self = Self {
        record: None,
        answered: false,
        cause: "",
        retry_after: None,
    };

    pub(super) fn as_probe(&self) -> ProbeResult {
        match self.record {
            Some(record) => ProbeResult::Counted(record),
            None if self.answered => ProbeResult::Neutral,
            None => ProbeResult::Nothing,
        }
    }
}
