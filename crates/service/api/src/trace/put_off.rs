//! The traces of requests that were put off, for as long as this replica can be expected to come back to them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_ops::TraceContext;
use uuid::Uuid;

/// Of more than these the oldest are forgotten: their recovery is a trace without a link.
const MOST: usize = 4096;

/// The traces. Clones share them; empty where spans are not exported.
#[derive(Debug, Clone, Default)]
pub(crate) struct PutOff(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    traces: HashMap<Uuid, TraceContext>,
    order: VecDeque<Uuid>,
}

impl PutOff {
    /// The request `id` was put off in the trace at hand.
    pub(crate) fn remember(&self, id: Uuid) {
        let Some(trace) = super::exported() else {
            return;
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.traces.insert(id, trace);
        known.order.push_back(id);
        if known.order.len() > MOST
            && let Some(oldest) = known.order.pop_front()
        {
            known.traces.remove(&oldest);
        }
    }

    /// The trace in which `id` was put off, if it is known.
    pub(crate) fn of(&self, id: Uuid) -> Option<TraceContext> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.traces.get(&id).cloned()
    }
}
