//! The way from a policy to its observers: a policy's name and its observers.

use std::fmt;
use std::sync::Arc;

use crate::event::{Event, Observer};
use crate::foreign;

/// Names a policy and passes its events to its observers. Clones are cheap and have the same observers.
#[derive(Clone)]
pub(crate) struct Reporter {
    policy: Arc<str>,
    observers: Arc<[Box<dyn Observer>]>,
}

impl Reporter {
    /// For the policy called `policy`, telling each of `observers` in order.
    pub(crate) fn new(policy: impl Into<Arc<str>>, observers: Vec<Box<dyn Observer>>) -> Self {
        Self {
            policy: policy.into(),
            observers: observers.into(),
        }
    }

    /// The same for one `key` of the policy's.
    pub(crate) fn under(&self, key: &str) -> Self {
        Self {
            policy: format!("{}/{key}", self.policy).into(),
            observers: Arc::clone(&self.observers),
        }
    }

    /// The policy's name.
    #[inline]
    pub(crate) fn policy(&self) -> &str {
        &self.policy
    }

    /// The same, to be kept.
    #[inline]
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.policy
    }

    /// Whether anybody listens: saves a clock reading when nobody does.
    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        !self.observers.is_empty()
    }

    /// Passes `event` to the observers. Never call it while holding a lock.
    pub(crate) fn emit(&self, event: &Event<'_>) {
        for observer in self.observers.iter() {
            foreign::run(|| observer.on_event(event));
        }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let observers = self.observers.len();
        f.debug_struct("Reporter")
            .field("policy", &self.policy)
            .field("observers", &observers)
            .finish()
    }
}
