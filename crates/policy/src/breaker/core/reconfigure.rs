//! Another configuration for a breaker at work.

use std::time::Duration;

use tokio::time::Instant;

use super::Core;
use super::phase::Phase;
use crate::config::BreakerConfig;

impl Core {
    /// Goes by `config` from now on, in the state it is in: open it stays open, though not longer than may be from now on;
    /// half open it begins its probes anew, for those under way were to answer another question.
    pub(in crate::breaker) fn reconfigure(
        &mut self,
        config: &BreakerConfig,
        lease: Duration,
        now: Instant,
    ) {
        self.tally.reconfigure(config, now);
        self.probes.reconfigure(config, lease);
        self.open_time.reconfigure(config);
        self.ramp.reconfigure(config.ramp);
        match &mut self.phase {
            Phase::Open { until } => *until = (*until).min(now + config.max_open_for),
            Phase::HalfOpen => {
                self.enter(Phase::HalfOpen);
            }
            Phase::Closed | Phase::ForcedOpen | Phase::Disabled => {}
        }
    }
}
