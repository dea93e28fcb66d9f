//! One attempt: the operation's future behind its [`Guard`].

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::guard::{Guard, Stage};
use super::terms::Terms;
use crate::class::{AttemptVerdict, Classify};
use crate::error::ErrorKind;
use crate::now::Now;
use crate::parts::Parts;

pin_project! {
    pub(super) struct Attempt<F> {
        pub(super) guard: Guard,
        // Set while the future runs: a drop that finds it set was caused by its panic. Unlike
        // `std::thread::panicking` this does not mistake somebody else's panic for ours.
        running: bool,
        #[pin]
        future: Option<F>,
    }
}

/// How an attempt ended, beside its result. It is filled in where it stays, for moving it costs more than making it.
#[derive(Debug)]
pub(super) struct End {
    pub(super) verdict: AttemptVerdict,
    /// When.
    pub(super) now: Now,
    /// When to come back, if the breaker said so.
    pub(super) retry_after: Option<Duration>,
}

impl End {
    /// Of no attempt yet.
    #[inline]
    pub(super) fn none() -> Self {
        Self {
            verdict: AttemptVerdict::Rejected,
            now: Now::on_demand(),
            retry_after: None,
        }
    }
}

/// Gives the slot back also if the future panics while it is dropped, or the waker of a wait.
struct Held<'a, C> {
    guard: &'a mut Guard,
    parts: &'a Parts<C>,
}

impl<C> Drop for Held<'_, C> {
    fn drop(&mut self) {
        self.guard.release(self.parts);
        self.guard.end();
    }
}

impl<F> Attempt<F> {
    /// One that `guard` has asked for.
    #[inline]
    pub(super) fn new(guard: Guard) -> Self {
        Self {
            guard,
            running: false,
            future: None,
        }
    }

    /// The next one, once this one is over.
    #[inline]
    pub(super) fn begin(self: Pin<&mut Self>, guard: Guard) {
        *self.project().guard = guard;
    }

    /// Drops what is under way, and says so to breaker and limit.
    pub(super) fn abandon<C>(self: Pin<&mut Self>, parts: &Parts<C>) {
        let mut this = self.project();
        let guard = this.guard;
        let held = Held { guard, parts };
        held.guard.abandon(parts, *this.running);
        this.future.set(None);
        drop(held);
    }
}

impl<F, T, E> Attempt<F>
where
    F: Future<Output = Result<T, E>>,
{
    /// Waits for a slot, makes the attempt, gives the slot back and tells the breaker. Pending for good once it is over.
    #[inline]
    pub(super) fn poll<C: Classify<T, E>>(
        self: Pin<&mut Self>,
        parts: &Parts<C>,
        terms: &Terms,
        make: impl FnOnce() -> Option<F>,
        end: &mut End,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, ErrorKind<E>>> {
        let mut this = self.project();
        let guard = this.guard;
        if matches!(guard.stage(), Stage::Waiting) {
            ready!(guard.poll_slot(parts, cx));
        }
        match guard.stage() {
            Stage::Admitted => {
                guard.touch();
                *this.running = true;
                this.future.set(make());
            }
            Stage::Running => *this.running = true,
            Stage::Refused(refused) => {
                let kind = refused.kind();
                *end = End::none();
                end.retry_after = refused.retry_after();
                guard.finish(parts, end);
                return Poll::Ready(Err(kind));
            }
            Stage::Waiting | Stage::Over => return Poll::Pending,
        }
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        // The answer first: one that is there is used, however late this task got to run.
        let result = match future.poll(cx) {
            Poll::Ready(result) => {
                end.verdict = AttemptVerdict::Finished(parts.classify.classify(&result));
                result.map_err(ErrorKind::Failed)
            }
            Poll::Pending => {
                *this.running = false;
                let cut = ready!(guard.poll_cut(parts, terms, cx));
                end.verdict = cut.verdict();
                Err(cut.kind())
            }
        };
        end.now = Now::on_demand();
        guard.learn(parts, end);
        guard.end();
        // Dropped before the slot is given back: it is free only when the attempt is gone. A panic of that is its own.
        *this.running = true;
        this.future.set(None);
        *this.running = false;
        end.retry_after = None;
        guard.finish(parts, end);
        Poll::Ready(result)
    }
}
