//! Takes a place for each attempt, or a place in the queue.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

use super::future::{BulkheadFuture, Waiting};
use super::slots::{Claim, Slots};
use crate::alarm::Alarm;
use crate::call::Call;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::progress::Progress;

/// Bounds how many attempts run at once.
#[derive(Clone, Debug)]
pub struct BulkheadLayer {
    slots: Option<Slots>,
    attempt_timeout: Duration,
}

/// See [`BulkheadLayer`].
#[derive(Clone, Debug)]
pub struct BulkheadService<S> {
    layer: BulkheadLayer,
    inner: S,
}

impl BulkheadLayer {
    /// Attempts share `slots`. None waits so long that less than `attempt_timeout` would be left
    /// of its deadline.
    pub fn new(slots: Slots, attempt_timeout: Duration) -> Self {
        Self::optional(Some(slots), attempt_timeout)
    }

    /// Without slots every attempt runs.
    pub(crate) fn optional(slots: Option<Slots>, attempt_timeout: Duration) -> Self {
        Self {
            slots,
            attempt_timeout,
        }
    }

    pub(crate) fn fork(&self) -> Self {
        Self::optional(self.slots.as_ref().map(Slots::fork), self.attempt_timeout)
    }
}

impl<S> Layer<S> for BulkheadLayer {
    type Service = BulkheadService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BulkheadService {
            layer: self.clone(),
            inner,
        }
    }
}

impl<S, R, E> Service<Call<R>> for BulkheadService<S>
where
    S: Service<Call<R>, Error = Error<E>> + Clone,
    S::Future: Progress,
{
    type Response = S::Response;
    type Error = Error<E>;
    type Future = BulkheadFuture<S, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, call: Call<R>) -> Self::Future {
        let BulkheadLayer {
            slots,
            attempt_timeout,
        } = &self.layer;
        let Some(slots) = slots else {
            return BulkheadFuture::running(self.inner.call(call), None);
        };
        match slots.claim() {
            Claim::Permit(permit) => BulkheadFuture::running(self.inner.call(call), Some(permit)),
            Claim::Wait(wait) => {
                let latest = call
                    .deadline
                    .map(|deadline| deadline.less(*attempt_timeout));
                let patience = Deadline::at(call.now()).plus(slots.max_wait());
                let until = latest.map_or(patience, |latest| latest.earlier(patience));
                BulkheadFuture::waiting(Waiting {
                    slots: slots.clone(),
                    wait,
                    patience: Alarm::at(until.instant()),
                    latest,
                    then: Some((self.inner.clone(), call)),
                })
            }
            Claim::Full => {
                slots.tell_refused();
                BulkheadFuture::refused(Arc::clone(slots.policy()))
            }
        }
    }
}
