//! Refuses a call that comes too late, and reports how a call ended. What cuts an attempt at the deadline
//! is the layer of the attempt timeout, which has the one timer for both.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::service::Rules;
use crate::error::{Error, ErrorKind};
use crate::event::{CallOutcome, Event, RejectedBy};
use crate::handle::Handle;
use crate::progress::{Admission, Progress};

pin_project! {
    /// The future of [`DeadlineService`](super::DeadlineService). Dropping it cancels the call.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct DeadlineFuture<F: Progress> {
        rules: Handle<Rules>,
        started: Instant,
        // `None`: too late to start.
        #[pin]
        inner: Option<F>,
        // Set while the inner future runs: a drop that finds it set was caused by its panic.
        running: bool,
        ended: Option<Ended>,
    }

    impl<F: Progress> PinnedDrop for DeadlineFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            if this.ended.is_some() {
                return;
            }
            let outcome = if this.running { CallOutcome::Panicked } else { CallOutcome::Cancelled };
            let attempts = this.attempts();
            let mut this = this;
            // Ends the attempt first, so that observers hear of the call last.
            this.as_mut().project().inner.set(None);
            this.report(outcome, attempts);
        }
    }
}

/// What remains of a call that is over.
#[derive(Clone, Copy, Debug)]
struct Ended {
    admission: Option<Admission>,
    attempts: u32,
}

impl<F: Progress> DeadlineFuture<F> {
    #[inline]
    pub(super) fn new(rules: Handle<Rules>, inner: Option<F>, started: Instant) -> Self {
        Self {
            rules,
            started,
            inner,
            running: false,
            ended: None,
        }
    }

    fn report(&self, outcome: CallOutcome, attempts: u32) {
        if !self.rules.reporter.is_enabled() {
            return;
        }
        let policy = self.rules.reporter.policy();
        let elapsed = self.started.elapsed();
        self.rules.reporter.emit(&Event::Call {
            policy,
            outcome,
            attempts,
            elapsed,
        });
    }

    fn attempts(&self) -> u32 {
        match self.ended {
            Some(ended) => ended.attempts,
            None => self.inner.as_ref().map_or(0, Progress::attempts),
        }
    }

    fn refused<E>(&self) -> Error<E> {
        let policy = self.rules.reporter.policy();
        let by = RejectedBy::Deadline;
        self.rules.reporter.emit(&Event::Rejected { policy, by });
        Error::new(ErrorKind::DeadlineExceeded)
    }
}

impl<F, T, E> Future for DeadlineFuture<F>
where
    F: Future<Output = Result<T, Error<E>>> + Progress,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.ended.is_some() {
            return Poll::Pending;
        }
        let result = match ready!(self.as_mut().poll_inner(cx)) {
            Some(result) => result,
            None => Err(self.refused()),
        };
        let attempts = match &result {
            Ok(_) => self.attempts(),
            Err(error) => error.attempts(),
        };
        let outcome = match &result {
            Ok(_) => CallOutcome::Answered,
            Err(error) => error.kind().into(),
        };
        let admission = self.admission();
        let mut this = self.as_mut().project();
        this.inner.set(None);
        *this.ended = Some(Ended {
            admission,
            attempts,
        });
        self.report(outcome, attempts);
        let told = |error: Error<E>| {
            let name = self.rules.reporter.name();
            error.after(self.started.elapsed()).of(name)
        };
        Poll::Ready(result.map_err(told))
    }
}

impl<F, T, E> DeadlineFuture<F>
where
    F: Future<Output = Result<T, Error<E>>> + Progress,
{
    /// The result of the call, or `None` if it came too late to be started.
    #[inline]
    fn poll_inner(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(None);
        };
        *this.running = true;
        let polled = inner.poll(cx);
        *this.running = false;
        polled.map(Some)
    }
}

impl<F: Progress> Progress for DeadlineFuture<F> {
    fn admission(&self) -> Option<Admission> {
        match self.ended {
            Some(ended) => ended.admission,
            None => self.inner.as_ref().and_then(Progress::admission),
        }
    }

    fn attempts(&self) -> u32 {
        Self::attempts(self)
    }
}
