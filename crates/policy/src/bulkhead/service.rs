//! Takes a slot for each attempt, or a place in the queue.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

use super::future::{BulkheadFuture, Held, OccupiedSlot, Waiting};
use crate::call::Call;
use crate::capacity::{Claim, Slots, Wait};
use crate::class::Classify;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::event::RejectedBy;
use crate::lazy_sleep::LazySleep;
use crate::progress::Progress;

/// Bounds how many attempts run at once.
#[derive(Clone, Debug)]
pub struct BulkheadLayer<C> {
    slots: Option<Slots>,
    attempt_timeout: Duration,
    classify: C,
}

/// See [`BulkheadLayer`].
#[derive(Clone, Debug)]
pub struct BulkheadService<S, C> {
    layer: BulkheadLayer<C>,
    inner: S,
}

impl<C> BulkheadLayer<C> {
    /// Attempts share `slots`. None waits so long that less than `attempt_timeout` would be left
    /// of its deadline. `classify` tells an adaptive limit which of them succeeded.
    pub fn new(slots: Slots, attempt_timeout: Duration, classify: C) -> Self {
        Self::optional(Some(slots), attempt_timeout, classify)
    }

    /// Without slots every attempt runs.
    pub(crate) fn optional(slots: Option<Slots>, attempt_timeout: Duration, classify: C) -> Self {
        Self {
            slots,
            attempt_timeout,
            classify,
        }
    }

    pub(crate) fn fork(&self) -> Self
    where
        C: Clone,
    {
        let slots = self.slots.as_ref().map(Slots::fork);
        Self::optional(slots, self.attempt_timeout, self.classify.clone())
    }
}

impl<S, C: Clone> Layer<S> for BulkheadLayer<C> {
    type Service = BulkheadService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        BulkheadService {
            layer: self.clone(),
            inner,
        }
    }
}

impl<S, C, R, E> Service<Call<R>> for BulkheadService<S, C>
where
    S: Service<Call<R>, Error = Error<E>> + Clone,
    S::Future: Progress,
    C: Classify<S::Response, E>,
{
    type Response = S::Response;
    type Error = Error<E>;
    type Future = BulkheadFuture<S, R, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut call: Call<R>) -> Self::Future {
        let Some(slots) = &self.layer.slots else {
            return BulkheadFuture::running(self.inner.call(call), None);
        };
        if let Some(ahead) = call.slot.take() {
            return self.run(Held::Ahead(ahead), call);
        }
        match slots.claim(call.priority) {
            Claim::Permit(permit) => self.run(Held::Own(permit), call),
            Claim::Wait(wait) => self.wait(slots, wait, call),
            Claim::Full => {
                slots.emit_refused(RejectedBy::Bulkhead);
                BulkheadFuture::refused(Arc::clone(slots.policy()))
            }
        }
    }
}

impl<S, C: Clone> BulkheadService<S, C> {
    #[inline]
    fn run<R>(&mut self, held: Held, call: Call<R>) -> BulkheadFuture<S, R, C>
    where
        S: Service<Call<R>>,
    {
        let call = if held.slots().is_adaptive() {
            let now = call.now();
            call.stamp(now)
        } else {
            call
        };
        let slot = OccupiedSlot::new(held, self.layer.classify.clone(), call.stamped());
        BulkheadFuture::running(self.inner.call(call), Some(slot))
    }
}

impl<S: Clone, C: Clone> BulkheadService<S, C> {
    /// Waits, unless the slot would come too late.
    fn wait<R>(&self, slots: &Slots, wait: Wait, call: Call<R>) -> BulkheadFuture<S, R, C>
    where
        S: Service<Call<R>>,
    {
        let now = call.now();
        let needed = self.layer.attempt_timeout;
        let latest = call.deadline.map(|deadline| deadline.less(needed));
        let turn = Deadline::at(now).plus(slots.expected_wait(call.priority));
        if latest.is_some_and(|latest| latest <= Deadline::at(now) || latest < turn) {
            drop(wait);
            slots.emit_refused(RejectedBy::Shed);
            return BulkheadFuture::refused(Arc::clone(slots.policy()));
        }
        let patience = Deadline::at(now).plus(slots.max_wait());
        let until = latest.map_or(patience, |latest| latest.earlier(patience));
        BulkheadFuture::waiting(Waiting {
            slots: slots.clone(),
            wait,
            patience: LazySleep::at(until.instant()),
            latest,
            then: Some((self.inner.clone(), call, self.layer.classify.clone())),
        })
    }
}
