//! What all calls under a policy share.

use std::fmt;

use tokio::time::Instant;

use crate::breaker::Circuit;
use crate::capacity::Slots;
use crate::config::PolicyConfig;
use crate::event::{CallOutcome, Event, HedgeOutcome};
use crate::now::Now;
use crate::reporter::Reporter;
use crate::{hedge, retry};

/// What the ramp grows to where no bulkhead says how many attempts may run.
const UNLIMITED_RAMP: u32 = 256;

pub(crate) struct Parts<C> {
    pub(crate) reporter: Reporter,
    pub(crate) config: PolicyConfig,
    pub(crate) classify: C,
    pub(crate) retry: retry::Rules,
    pub(crate) hedge: Option<hedge::Delay>,
    pub(crate) circuit: Option<Circuit>,
    pub(crate) slots: Option<Slots>,
    pub(crate) seed: u64,
    /// Whether other policies draw from its budget, by whose configuration it is not this one's to change.
    pub(crate) shares_budget: bool,
}

impl<C> fmt::Debug for Parts<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = f.debug_struct("Parts");
        let parts = parts.field("policy", &self.reporter.policy());
        parts.field("config", &self.config).finish_non_exhaustive()
    }
}

impl<C> Parts<C> {
    /// When a further attempt is to start, if there is to be one.
    pub(crate) fn next_start(&self, tried: retry::Tried, now: Instant) -> Option<Instant> {
        let circuit = self.circuit.as_ref();
        self.retry.next_start(tried, circuit, &self.reporter, now)
    }

    /// Whether the budget has a token for a second attempt beside a slow one.
    pub(crate) fn pay_hedge(&self, now: Instant) -> bool {
        let granted = self.retry.budget.withdraw_at(now);
        if !granted {
            let policy = self.reporter.policy();
            self.reporter.emit(&Event::BudgetExhausted { policy });
        }
        granted
    }

    /// Tells the observers what became of a second attempt.
    pub(crate) fn report_hedge(&self, number: u32, outcome: HedgeOutcome) {
        self.reporter.emit(&Event::Hedge {
            policy: self.reporter.policy(),
            number,
            outcome,
        });
    }

    /// Tells the observers how a call ended.
    #[inline]
    pub(crate) fn report(&self, outcome: CallOutcome, attempts: u32, started: Instant, now: &Now) {
        if self.reporter.is_enabled() {
            self.reporter.emit(&Event::Call {
                policy: self.reporter.policy(),
                outcome,
                attempts,
                elapsed: now.instant().saturating_duration_since(started),
            });
        }
    }

    /// How many attempts may run at present: what the ramp grows to.
    pub(crate) fn limit(&self) -> u32 {
        self.slots.as_ref().map_or(UNLIMITED_RAMP, Slots::limit)
    }

    /// Of a limit that has to know how long attempts take.
    #[inline]
    pub(crate) fn adaptive_slots(&self) -> Option<&Slots> {
        self.slots.as_ref().filter(|slots| slots.is_adaptive())
    }
}
