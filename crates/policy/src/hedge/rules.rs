//! Whether a second attempt may start.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::observed::Delay;
use crate::breaker::Circuit;
use crate::config::HedgeConfig;
use crate::deadline::Deadline;
use crate::event::{Event, HedgeOutcome};
use crate::reporter::Reporter;
use crate::retry::Budget;
use crate::snapshot::BreakerState;

/// What hedging must know beside its own configuration.
#[derive(Clone, Debug)]
pub struct HedgeSettings {
    /// Whether repeating a call is harmless, unless the call says otherwise.
    pub idempotent: bool,
    /// What must remain of the deadline for a second attempt: the attempt timeout.
    pub attempt_timeout: Duration,
    /// The breaker behind: while it is not closed nothing is hedged.
    pub circuit: Option<Circuit>,
}

#[derive(Debug)]
pub(super) struct Rules {
    pub(super) delay: Arc<Delay>,
    reporter: Reporter,
    budget: Budget,
    settings: HedgeSettings,
}

impl Rules {
    pub(super) fn new(
        config: &HedgeConfig,
        settings: HedgeSettings,
        budget: Budget,
        reporter: Reporter,
    ) -> Self {
        Self {
            delay: Arc::new(Delay::new(config)),
            reporter,
            budget,
            settings,
        }
    }

    /// Whether both attempts may be carried out.
    pub(super) fn allow(&self, idempotent: Option<bool>) -> bool {
        idempotent.unwrap_or(self.settings.idempotent)
    }

    /// Whether a second attempt may start now. The budget comes last, so that no token is spent on one that
    /// something else forbids.
    pub(super) fn grant(&self, deadline: Option<Deadline>, now: Instant) -> bool {
        let needed = self.settings.attempt_timeout;
        if deadline.is_some_and(|deadline| !deadline.fits(needed, now)) || !self.is_closed() {
            return false;
        }
        let granted = self.budget.withdraw(now);
        if !granted {
            let policy = self.reporter.policy();
            self.reporter.emit(&Event::BudgetExhausted { policy });
        }
        granted
    }

    pub(super) fn emit(&self, number: u32, outcome: HedgeOutcome) {
        let policy = self.reporter.policy();
        self.reporter.emit(&Event::Hedge {
            policy,
            number,
            outcome,
        });
    }

    fn is_closed(&self) -> bool {
        self.settings.circuit.as_ref().is_none_or(|circuit| {
            matches!(
                circuit.state(),
                BreakerState::Closed | BreakerState::Disabled
            )
        })
    }
}
