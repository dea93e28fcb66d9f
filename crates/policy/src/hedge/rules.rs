//! Whether a second attempt may start.

use std::time::Duration;

use tokio::time::Instant;

use super::observed::Delay;
use crate::breaker::Circuit;
use crate::config::HedgeConfig;
use crate::deadline::Deadline;
use crate::event::{Event, HedgeOutcome};
use crate::now::Now;
use crate::reporter::Reporter;
use crate::retry::Budget;
use crate::snapshot::BreakerState;

/// Decides on second attempts.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) delay: Delay,
    reporter: Reporter,
    budget: Budget,
    // What must remain of the deadline for a second attempt.
    needed: Duration,
    // While it is not closed nothing is hedged.
    circuit: Option<Circuit>,
}

/// When a second attempt starts.
pub(crate) enum Due {
    At(Instant),
    Now(Instant),
}

impl Rules {
    pub(crate) fn new(
        config: &HedgeConfig,
        needed: Duration,
        circuit: Option<Circuit>,
        budget: Budget,
        reporter: Reporter,
    ) -> Self {
        Self {
            delay: Delay::new(config),
            reporter,
            budget,
            needed,
            circuit,
        }
    }

    /// Of a second attempt that was to start now, beside one that the limit let pass at `first`. `None`: there will
    /// be none.
    pub(crate) fn second(&self, deadline: Deadline, first: Option<Instant>) -> Option<Due> {
        // Without a slot of its own it waits for want of slots, and a second would wait as well.
        let due = first? + self.delay.now()?;
        let now = Instant::now();
        // It had to wait for its slot: that is no slowness.
        if due > now {
            return Some(Due::At(due));
        }
        self.grant(deadline, now).then_some(Due::Now(now))
    }

    /// Learns how long a first attempt was out, if it was.
    pub(crate) fn learn(&self, first: Option<Instant>, now: &Now) {
        if let Some(since) = first {
            self.delay
                .learn(now.instant().saturating_duration_since(since));
        }
    }

    pub(crate) fn emit(&self, number: u32, outcome: HedgeOutcome) {
        let policy = self.reporter.policy();
        self.reporter.emit(&Event::Hedge {
            policy,
            number,
            outcome,
        });
    }

    /// Whether a second attempt may start now. The budget comes last, so that no token is spent on one that
    /// something else forbids.
    fn grant(&self, deadline: Deadline, now: Instant) -> bool {
        if !deadline.fits(self.needed, now) || !self.is_closed() {
            return false;
        }
        let granted = self.budget.withdraw(now);
        if !granted {
            let policy = self.reporter.policy();
            self.reporter.emit(&Event::BudgetExhausted { policy });
        }
        granted
    }

    fn is_closed(&self) -> bool {
        self.circuit.as_ref().is_none_or(|circuit| {
            matches!(
                circuit.state(),
                BreakerState::Closed | BreakerState::Disabled
            )
        })
    }
}
