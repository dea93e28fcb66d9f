//! Sets the deadline of a call and refuses calls that come too late.

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use super::{Deadline, DeadlineFuture};
use crate::call::Call;
use crate::error::Error;
use crate::handle::Handle;
use crate::progress::Progress;
use crate::reporter::Reporter;

/// Gives each call the earlier of its own deadline and the policy's.
#[derive(Clone, Debug)]
pub struct DeadlineLayer {
    rules: Handle<Rules>,
}

/// See [`DeadlineLayer`].
#[derive(Clone, Debug)]
pub struct DeadlineService<S> {
    layer: DeadlineLayer,
    inner: S,
}

#[derive(Debug)]
pub(super) struct Rules {
    pub(super) reporter: Reporter,
    within: Duration,
    attempt_timeout: Duration,
}

impl DeadlineLayer {
    /// Calls end `within` that time, and start only if a whole `attempt_timeout` remains.
    pub fn new(within: Duration, attempt_timeout: Duration, reporter: Reporter) -> Self {
        Self {
            rules: Handle::new(Rules {
                reporter,
                within,
                attempt_timeout,
            }),
        }
    }

    pub(crate) fn fork(&self) -> Self {
        let rules = self.rules.fork();
        Self { rules }
    }

    /// Starts a call, unless it comes too late: `inner` makes the future that is waited for.
    #[inline]
    pub(crate) fn start<R, F: Progress>(
        &self,
        call: Call<R>,
        inner: impl FnOnce(Call<R>) -> F,
    ) -> DeadlineFuture<F> {
        let now = Instant::now();
        let own = Deadline::at(now).plus(self.rules.within);
        let deadline = call.deadline.map_or(own, |callers| callers.earlier(own));
        let in_time = deadline.fits(self.rules.attempt_timeout, now);
        // Not `then`: a closure that is not inlined would have the whole future copied once more.
        let inner = if in_time {
            Some(inner(call.by(deadline).stamp(now)))
        } else {
            None
        };
        DeadlineFuture::new(self.rules.clone(), inner, now)
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService {
            layer: self.clone(),
            inner,
        }
    }
}

impl<S, R, E> Service<Call<R>> for DeadlineService<S>
where
    S: Service<Call<R>, Error = Error<E>>,
    S::Future: Progress,
{
    type Response = S::Response;
    type Error = Error<E>;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, call: Call<R>) -> Self::Future {
        let Self { layer, inner } = self;
        layer.start(call, |call| inner.call(call))
    }
}
