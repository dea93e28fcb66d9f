//! Watches an attempt and settles its ticket: by its result, or by its being dropped.

use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::core::Refusal;
use super::stopwatch::Stopwatch;
use super::ticket::Ticket;
use crate::class::{AttemptVerdict, Classify};
use crate::error::{Error, ErrorKind};
use crate::progress::{Admission, Progress};

pin_project! {
    /// The future of [`BreakerService`](super::BreakerService). Dropping it is an outcome: neutral
    /// before the slow-call threshold, a slow failure after it.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct BreakerFuture<F: Progress, C> {
        #[pin]
        state: State<F, C>,
    }

    impl<F: Progress, C> PinnedDrop for BreakerFuture<F, C> {
        fn drop(this: Pin<&mut Self>) {
            if let StateProj::Admitted { attempt } = this.project().state.project() {
                attempt.abandon();
            }
        }
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F, C> {
        Admitted { #[pin] attempt: Attempt<F, C> },
        Refused { policy: Arc<str>, refusal: Refusal },
        Done { admission: Option<Admission> },
    }
}

pin_project! {
    #[derive(Debug)]
    struct Attempt<F, C> {
        #[pin]
        inner: F,
        classify: C,
        // `None`: the breaker is left out.
        ticket: Option<Ticket>,
        // Set while the inner future runs: a drop that finds it set was caused by its panic. Unlike
        // `std::thread::panicking` this does not mistake somebody else's panic for ours.
        running: bool,
    }
}

impl<F: Progress, C> BreakerFuture<F, C> {
    #[inline]
    pub(super) fn admitted(inner: F, ticket: Option<Ticket>, classify: C) -> Self {
        let attempt = Attempt {
            inner,
            classify,
            ticket,
            running: false,
        };
        Self {
            state: State::Admitted { attempt },
        }
    }

    pub(super) fn refused(policy: Arc<str>, refusal: Refusal) -> Self {
        Self {
            state: State::Refused { policy, refusal },
        }
    }
}

impl<F, C, T, E> Future for BreakerFuture<F, C>
where
    F: Future<Output = Result<T, Error<E>>> + Progress,
    C: Classify<T, E>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        let (result, admission) = match state.as_mut().project() {
            StateProj::Admitted { mut attempt } => {
                let result = ready!(attempt.as_mut().poll(cx));
                (result, attempt.inner.admission())
            }
            StateProj::Refused { policy, refusal } => (Err(refusal.error().of(policy)), None),
            StateProj::Done { .. } => return Poll::Pending,
        };
        state.set(State::Done { admission });
        Poll::Ready(result)
    }
}

impl<F: Progress, C> Attempt<F, C> {
    fn poll<T, E>(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output>
    where
        F: Future<Output = Result<T, Error<E>>>,
        C: Classify<T, E>,
    {
        let mut this = self.project();
        *this.running = true;
        let polled = this.inner.as_mut().poll(cx);
        let result = match polled {
            Poll::Ready(result) => result,
            Poll::Pending => {
                *this.running = false;
                return Poll::Pending;
            }
        };
        let Some(ticket) = this.ticket else {
            *this.running = false;
            return Poll::Ready(result);
        };
        let (verdict, result) = AttemptVerdict::of(result, this.classify);
        *this.running = false;
        let Some(admission) = this.inner.admission() else {
            return Poll::Ready(result);
        };
        let open_for = ticket.finish(verdict, &Stopwatch::since(admission));
        Poll::Ready(match result {
            Ok(answer) => Ok(answer),
            Err(error) => Err(error.not_before(open_for).of(ticket.policy())),
        })
    }

    /// The attempt ends without a result. One that never reached the dependency says nothing: its
    /// ticket is dropped.
    fn abandon(self: Pin<&mut Self>) {
        let this = self.project();
        let Some(ticket) = this.ticket.as_mut().filter(|ticket| !ticket.is_settled()) else {
            return;
        };
        if let Some(admission) = this.inner.admission() {
            let watch = Stopwatch::since(admission);
            ticket.abandon(*this.running, &watch);
        }
    }
}

impl<F: Progress, C> Progress for BreakerFuture<F, C> {
    fn admission(&self) -> Option<Admission> {
        match &self.state {
            State::Admitted { attempt } => attempt.inner.admission(),
            State::Refused { .. } => None,
            State::Done { admission } => *admission,
        }
    }
}

impl Refusal {
    fn error<E>(self) -> Error<E> {
        match self {
            Self::Open(wait) => Error::new(ErrorKind::CircuitOpen).not_before(wait),
            Self::Ramp(wait) => Error::new(ErrorKind::BulkheadFull).not_before(Some(wait)),
        }
    }
}
