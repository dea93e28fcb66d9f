//! What all hedges of a policy share: when they start, what pays for them, who hears of them.

use tokio::time::Instant;

use super::observed::Delay;
use crate::config::HedgeConfig;
use crate::event::{Event, HedgeOutcome};
use crate::now::Now;
use crate::reporter::Reporter;
use crate::retry::Budget;

#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) delay: Delay,
    reporter: Reporter,
    budget: Budget,
}

impl Rules {
    pub(crate) fn new(config: &HedgeConfig, budget: Budget, reporter: Reporter) -> Self {
        Self {
            delay: Delay::new(config),
            reporter,
            budget,
        }
    }

    /// Whether the budget has a token for a second attempt.
    pub(crate) fn pay(&self, now: Instant) -> bool {
        let granted = self.budget.withdraw_at(now);
        if !granted {
            let policy = self.reporter.policy();
            self.reporter.emit(&Event::BudgetExhausted { policy });
        }
        granted
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
}
