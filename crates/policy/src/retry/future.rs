//! Makes one attempt after another until the rules say stop.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use super::rules::{Rules, Tried};
use crate::call::Call;
use crate::class::{AttemptVerdict, Classify, Retry};
use crate::error::Error;
use crate::handle::Handle;
use crate::lazy_sleep::LazySleep;
use crate::progress::{Admission, Progress};

pin_project! {
    /// The future of [`RetryService`](super::RetryService). Dropping it cancels the attempt in
    /// hand, or the wait for the next one.
    #[must_use = "futures do nothing unless polled"]
    pub struct RetryFuture<S: Service<Call<R>>, R, C> {
        #[pin]
        step: Step<S::Future>,
        rounds: Rounds<S, R, C>,
    }
}

pin_project! {
    #[project = StepProj]
    enum Step<F> {
        Attempt { #[pin] future: F },
        Wait { #[pin] sleep: LazySleep },
        Done,
    }
}

/// What stays from one attempt to the next.
struct Rounds<S: Service<Call<R>>, R, C> {
    rules: Handle<Rules>,
    service: S,
    call: Call<R>,
    classify: C,
    // How often the service has been called, from 1; a hedged call of it is two attempts.
    round: u32,
    // Attempts that reached the dependency and are over.
    reached: u32,
    // What the attempt in hand follows, and when that was: if that one is refused, this is the last
    // real cause.
    last: Option<Past<S::Response, S::Error>>,
}

/// The result of an attempt, and when it came.
type Past<T, E> = (Result<T, E>, Instant);

/// What follows a finished attempt.
enum Next<T, E> {
    Return(Result<T, Error<E>>),
    Wait(LazySleep),
}

impl<S, R, C, E> RetryFuture<S, R, C>
where
    S: Service<Call<R>, Error = Error<E>>,
    R: Clone,
{
    #[inline]
    pub(super) fn new(rules: Handle<Rules>, service: S, call: Call<R>, classify: C) -> Self {
        let mut rounds = Rounds {
            rules,
            service,
            call,
            classify,
            round: 1,
            reached: 0,
            last: None,
        };
        Self {
            step: Step::Attempt {
                future: rounds.attempt(),
            },
            rounds,
        }
    }
}

impl<S, R, C, E> Future for RetryFuture<S, R, C>
where
    S: Service<Call<R>, Error = Error<E>>,
    S::Future: Progress,
    C: Classify<S::Response, E>,
    R: Clone,
{
    type Output = Result<S::Response, Error<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut step = this.step;
        let rounds = this.rounds;
        let result = loop {
            match step.as_mut().project() {
                StepProj::Attempt { mut future } => {
                    let result = ready!(future.as_mut().poll(cx));
                    rounds.reached += future.attempts();
                    match rounds.finish(result) {
                        Next::Return(result) => break result,
                        Next::Wait(sleep) => step.set(Step::Wait { sleep }),
                    }
                }
                StepProj::Wait { sleep } => {
                    ready!(sleep.poll(cx));
                    if let Some(last) = rounds.overslept() {
                        break last;
                    }
                    step.set(Step::Attempt {
                        future: rounds.attempt(),
                    });
                }
                StepProj::Done => return Poll::Pending,
            }
        };
        step.set(Step::Done);
        let reached = rounds.reached;
        let told = |error: Error<E>| {
            let name = rounds.rules.reporter.name();
            error.after_attempts(reached).of(name)
        };
        Poll::Ready(result.map_err(told))
    }
}

impl<S, R, C, E> Rounds<S, R, C>
where
    S: Service<Call<R>, Error = Error<E>>,
    R: Clone,
{
    #[inline]
    fn attempt(&mut self) -> S::Future {
        self.service.call(self.call.clone())
    }

    /// The failure to report if this task woke too late for a further attempt.
    fn overslept(&mut self) -> Option<Result<S::Response, Error<E>>> {
        let now = Instant::now();
        self.call = self.call.clone().stamp(now);
        if self.rules.fits(self.call.deadline, now) {
            None
        } else {
            self.last_cause(now)
        }
    }

    fn finish(&mut self, result: Result<S::Response, Error<E>>) -> Next<S::Response, E>
    where
        C: Classify<S::Response, E>,
    {
        let (verdict, result) = AttemptVerdict::of(result, &self.classify);
        let Some(class) = verdict.class() else {
            return Next::Return(self.refused(result));
        };
        let result = result.map_err(|error| error.not_before(class.retry_after));
        if class.retry == Retry::Never {
            return Next::Return(result);
        }
        let Call {
            idempotent,
            deadline,
            ..
        } = self.call;
        let tried = Tried {
            class,
            round: self.round,
            number: self.reached + 1,
            idempotent,
            deadline,
        };
        let now = Instant::now();
        match self.rules.next_start(tried, now) {
            Some(start) => {
                self.last = Some((result, now));
                self.round += 1;
                self.call.number = self.reached + 1;
                Next::Wait(LazySleep::at(start))
            }
            None => Next::Return(result),
        }
    }

    /// The failure before the attempt in hand. What it said about coming back was said then.
    fn last_cause(&mut self, now: Instant) -> Option<Result<S::Response, Error<E>>> {
        let (result, at) = self.last.take()?;
        let since = now.saturating_duration_since(at);
        Some(result.map_err(|error| error.later_by(since)))
    }

    /// A refused attempt: the failure before it, if there was one, is what the caller must know,
    /// with the later of their two hints when to come back.
    fn refused(&mut self, refusal: Result<S::Response, Error<E>>) -> Result<S::Response, Error<E>> {
        match (self.last_cause(Instant::now()), refusal) {
            (Some(last), Err(refusal)) => {
                last.map_err(|error| error.not_before(refusal.retry_after()))
            }
            (Some(last), Ok(_)) => last,
            (None, refusal) => refusal,
        }
    }
}

impl<S, R, C> Progress for RetryFuture<S, R, C>
where
    S: Service<Call<R>>,
    S::Future: Progress,
{
    fn admission(&self) -> Option<Admission> {
        match &self.step {
            Step::Attempt { future } => future.admission(),
            Step::Wait { .. } | Step::Done => None,
        }
    }

    fn attempts(&self) -> u32 {
        let current = match &self.step {
            Step::Attempt { future } => future.attempts(),
            Step::Wait { .. } | Step::Done => 0,
        };
        self.rounds.reached + current
    }
}
