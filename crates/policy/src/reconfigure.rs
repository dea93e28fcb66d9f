//! Another configuration for a policy at work.

use tokio::time::Instant;

use crate::breaker::Circuit;
use crate::builder::{Kept, budget_config, circuit_settings, parts};
use crate::capacity::Slots;
use crate::config::{ConfigError, PolicyConfig};
use crate::hedge::Delay;
use crate::parts::Parts;
use crate::policy::Policy;

impl<C: Clone> Policy<C> {
    /// The same policy under another configuration, for calls to come: put it where this one was. Both share what must not
    /// be lost: the state of the breaker and what it has counted, the slots that are taken, the retry budget, what is known of
    /// how long attempts take, the draws of the jitter. By breaker, bulkhead and budget the new configuration holds at once
    /// for calls under way too; else such a call ends as it began.
    ///
    /// # Errors
    /// If the configuration is incoherent; then nothing has changed.
    pub fn reconfigured(&self, config: PolicyConfig) -> Result<Self, ConfigError> {
        let before = &*self.parts;
        config.validate(before.reporter.policy())?;
        let budget = before.retry.budget.clone();
        if !before.shares_budget {
            budget.reconfigure(&budget_config(&config), Instant::now());
        }
        let kept = Kept {
            circuit: circuit(before, &config),
            slots: slots(before, &config),
            hedge: hedge(before, &config),
            jitter: before.retry.jitter.clone(),
            reporter: before.reporter.clone(),
            budget,
            shares_budget: before.shares_budget,
        };
        let parts = parts(config, before.classify.clone(), before.seed, kept);
        Ok(Self::new(parts))
    }
}

fn circuit<C>(before: &Parts<C>, config: &PolicyConfig) -> Option<Circuit> {
    let breaker = config.breaker.as_ref()?;
    let settings = circuit_settings(config, before.seed);
    Some(match &before.circuit {
        Some(circuit) => {
            circuit.reconfigure(breaker, settings);
            circuit.fork()
        }
        None => Circuit::new(breaker, settings, before.reporter.clone()),
    })
}

fn hedge<C>(before: &Parts<C>, config: &PolicyConfig) -> Option<Delay> {
    let hedge = config.hedge.as_ref()?;
    Some(match &before.hedge {
        Some(delay) => delay.reconfigured(hedge),
        None => Delay::new(hedge),
    })
}

fn slots<C>(before: &Parts<C>, config: &PolicyConfig) -> Option<Slots> {
    let bulkhead = config.bulkhead.as_ref()?;
    Some(match &before.slots {
        Some(slots) => {
            slots.reconfigure(bulkhead);
            slots.fork()
        }
        None => Slots::new(bulkhead, before.reporter.clone()),
    })
}
