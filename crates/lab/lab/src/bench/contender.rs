//! What takes turns, and what each was measured to do.

use super::pgbench::Pgbench;
use super::wrk::Wrk;
use crate::error::LabError;
use crate::figures::{Figures, median};

/// A load on something, under a name.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) load: Load,
    /// The contender at half of whose latest rate this one is held; `None`: it goes as fast as it can.
    pub(super) half_of: Option<usize>,
    /// A measurement for each round.
    pub(super) measured: Vec<Figures>,
}

/// How a contender is driven.
pub(super) enum Load {
    Http(Wrk),
    Statements(Pgbench),
}

impl Contender {
    pub(super) fn new(name: &'static str, load: Load) -> Self {
        Self {
            name,
            load,
            half_of: None,
            measured: Vec::new(),
        }
    }

    /// The median of one of its figures over the rounds.
    pub(super) fn median(&self, figure: fn(&Figures) -> f64) -> f64 {
        median(self.measured.iter().map(figure).collect())
    }
}

impl Load {
    /// One measurement, at half of the rate `full` if that is given. Any failure is an error.
    pub(super) async fn run(
        &self,
        round: u32,
        seconds: u32,
        full: Option<f64>,
    ) -> Result<Figures, LabError> {
        match self {
            Self::Http(wrk) => wrk.run(seconds, full.map(|rate| rate / 2.0)).await,
            Self::Statements(pgbench) => pgbench.run(round, seconds).await,
        }
    }
}
