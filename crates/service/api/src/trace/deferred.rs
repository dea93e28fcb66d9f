//! The traces of requests that were deferred, for as long as this replica can be expected to come back to them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_ops::TraceContext;
use uuid::Uuid;

/// Of more than these the oldest are forgotten: their recovery is a trace without a link.
const MAX_TRACES: usize = 4096;

/// The traces. Clones share them; empty where spans are not exported.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeferredTraces(Arc<Mutex<Traces>>);

#[derive(Debug, Default)]
struct Traces {
    by_request: HashMap<Uuid, TraceContext>,
    order: VecDeque<Uuid>,
}

impl DeferredTraces {
    /// The request `id` was deferred in the trace at hand.
    pub(crate) fn remember(&self, id: Uuid) {
        let Some(trace) = super::exported() else {
            return;
        };
        let mut traces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        traces.by_request.insert(id, trace);
        traces.order.push_back(id);
        if traces.order.len() > MAX_TRACES
            && let Some(oldest) = traces.order.pop_front()
        {
            traces.by_request.remove(&oldest);
        }
    }

    /// The trace in which `id` was deferred, if it is known.
    pub(crate) fn of(&self, id: Uuid) -> Option<TraceContext> {
        let traces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        traces.by_request.get(&id).cloned()
    }
}
