//! What a breaker does when it matters: one question per probe, asked of every crate in the same
//! way, with the answer that is right beside it.

pub mod counting;
pub mod half_open;
pub mod stale;
mod subject;
pub mod table;
pub mod time;

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::runtime::Builder;

pub use self::subject::Subject;
use crate::contenders::{Contender, Feature, Setup, Trip};

/// Every probe, in the order of the table's rows.
pub static PROBES: [&Probe; 15] = [
    &counting::PANIC,
    &counting::HUNG_CALLS,
    &counting::EARLY_CANCELS,
    &counting::SLOW_SUCCESSES,
    &half_open::SLOW_PROBE,
    &stale::SUCCESS,
    &stale::FAILURE,
    &stale::FAILURES_AFTER_RECOVERY,
    &stale::COUNTED_BEFORE,
    &half_open::CALLERS_AT_ONCE,
    &half_open::DROPPED_PROBE,
    &half_open::SLOW_TRICKLE,
    &counting::HEALTHY_PAST,
    &counting::FULL_BULKHEAD,
    &time::PAUSED_CLOCK,
];

/// What probes set up unless they are about it. Long enough open for a busy machine to look twice,
/// short enough to wait for.
const SETUP: Setup = Setup {
    opens_on: Trip::InARow(3),
    open_for: Duration::from_millis(200),
    half_open_calls: 1,
    slow_call: None,
    bulkhead: None,
};

/// One row of the table.
#[derive(Debug)]
pub struct Probe {
    /// What is asked.
    pub question: &'static str,
    /// What the answer must be.
    pub right: Right,
    /// Without this there is nothing to ask.
    pub needs: Option<Feature>,
    /// What a reader must know to judge the answers fairly.
    pub note: Option<&'static str>,
    /// The breaker it needs.
    pub setup: Setup,
    /// On which clock it runs.
    pub clock: Clock,
    /// Asks it.
    pub ask: fn(Subject) -> LocalBoxFuture<'static, Result<Finding, ProbeError>>,
}

/// Which answer is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Any number up to this one.
    AtMost(u32),
}

/// What was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Yes.
    Yes,
    /// No.
    No,
    /// So many.
    Count(u32),
    /// Not within this many.
    Above(u32),
}

/// The clock of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Time passes by itself.
    Real,
    /// tokio's clock, paused: it jumps to the next timer when all tasks wait.
    Paused,
}

/// Why a probe could not be carried out. This is no answer: the crate is not set up as it should be.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The crate refused the configuration.
    #[error("the configuration is refused")]
    Configuration(#[source] Box<dyn Error + Send + Sync>),
    /// No runtime could be started.
    #[error("no runtime")]
    Runtime(#[from] io::Error),
    /// Failures did not open it.
    #[error("failures do not open it")]
    NeverOpened,
    /// A call that should have reached the dependency did not.
    #[error("a call does not reach the dependency: {0}")]
    Unreached(&'static str),
    /// The bulkhead let a call pass that had no place.
    #[error("the bulkhead is not full")]
    NotFull,
}

impl Probe {
    /// Asks `contender`. `None` if it lacks what the question is about.
    ///
    /// # Errors
    /// If the probe could not be carried out.
    pub fn run(
        &self,
        contender: &dyn Contender,
        clock: Clock,
    ) -> Result<Option<Finding>, ProbeError> {
        if self.needs.is_some_and(|it| contender.lacks().contains(&it)) {
            return Ok(None);
        }
        // One thread: whatever a probe does not wait for happens in the same order every time.
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(clock == Clock::Paused || self.clock == Clock::Paused)
            .build()?;
        runtime.block_on(async {
            let subject = Subject::new(contender, self.setup)?;
            (self.ask)(subject).await.map(Some)
        })
    }
}

impl Right {
    /// Whether `finding` is the right answer.
    pub fn admits(self, finding: Finding) -> bool {
        match (self, finding) {
            (Self::Yes, Finding::Yes) | (Self::No, Finding::No) => true,
            (Self::AtMost(most), Finding::Count(count)) => count <= most,
            _ => false,
        }
    }
}

impl From<bool> for Finding {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.pad("yes"),
            Self::No => f.pad("no"),
            Self::AtMost(most) => f.pad(&format!("≤ {most}")),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.pad("yes"),
            Self::No => f.pad("no"),
            Self::Count(count) => f.pad(&count.to_string()),
            Self::Above(most) => f.pad(&format!("> {most}")),
        }
    }
}
