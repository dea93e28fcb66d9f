//! Deadline and retry: refuses a call that comes too late, makes one round after another until the rules say stop,
//! and reports how the call ended. What cuts an attempt at the deadline is the attempt's own timer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::attempt::End;
use super::guard::Guard;
use super::round::{Around, Round};
use super::terms::Terms;
use crate::attempt::{Operation, OperationResult};
use crate::call::Call;
use crate::class::{Classify, Retry, left};
use crate::error::{Error, ErrorKind, Report};
use crate::event::{CallOutcome, Event, RejectedBy};
use crate::handle::Handle;
use crate::lazy_sleep::LazySleep;
use crate::now::Now;
use crate::parts::Parts;

pin_project! {
    /// The future of a call. Dropping it cancels the attempts in hand, or the wait for the next one.
    #[must_use = "futures do nothing unless polled"]
    pub struct StackFuture<O: Operation, C> {
        parts: Handle<Parts<C>>,
        operation: O,
        terms: Terms,
        step: Step,
        // Of the wait for the next round.
        pause: LazySleep,
        // Set while it is polled: a drop that finds it set was caused by a panic in it.
        running: bool,
        // How many rounds were begun.
        rounds: u32,
        // Attempts of rounds before this one that reached the dependency.
        reached: u32,
        // What the round in hand follows: if that is refused, this is the last real cause.
        last: Option<Box<Past<O>>>,
        #[pin]
        round: Round<O>,
    }

    impl<O: Operation, C> PinnedDrop for StackFuture<O, C> {
        fn drop(this: Pin<&mut Self>) {
            if matches!(this.step, Step::Ended) {
                return;
            }
            let outcome = if this.running { CallOutcome::Panicked } else { CallOutcome::Cancelled };
            let in_hand = if matches!(this.step, Step::Round) { this.round.attempts() } else { 0 };
            let attempts = this.reached + in_hand;
            let this = this.project();
            // Ends the attempts first, so that observers hear of the call last.
            this.round.abandon(this.parts);
            this.parts.report(outcome, attempts, this.terms.started, &Now::on_demand());
        }
    }
}

#[derive(Clone, Copy)]
enum Step {
    /// Too little time was left from the beginning.
    TooLate,
    Round,
    /// Until then.
    Wait(Instant),
    Ended,
}

/// A round that another one follows.
struct Past<O: Operation> {
    result: OperationResult<O>,
    retry_after: Option<Duration>,
    at: Instant,
}

impl<O: Operation, C> fmt::Debug for StackFuture<O, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut future = f.debug_struct("StackFuture");
        future.field("parts", &self.parts).finish_non_exhaustive()
    }
}

impl<O: Operation, C> StackFuture<O, C> {
    /// Starts a call at `now`, and its first attempt. Inlined, so that the future is made where the caller keeps it.
    #[inline(always)]
    pub(crate) fn start<R>(
        parts: &Handle<Parts<C>>,
        call: Call<R>,
        now: Instant,
        operation: impl FnOnce(R) -> O,
    ) -> Self {
        let Call {
            request,
            deadline,
            idempotent,
            priority,
            slot,
        } = call;
        let terms = Terms {
            started: now,
            deadline,
            idempotent: idempotent.unwrap_or(parts.config.idempotent),
            priority,
            slot,
        };
        // Of the policy's own deadline all is left.
        let needed = parts.config.needed();
        let in_time = deadline.is_none_or(|deadline| deadline.fits(needed, now));
        let (step, guard) = if in_time {
            if O::REPEATABLE {
                parts.retry.budget.deposit_at(now);
            }
            (Step::Round, Guard::begin(parts, &terms, 1, now))
        } else {
            (Step::TooLate, Guard::none(now))
        };
        Self {
            parts: parts.clone(),
            operation: operation(request),
            terms,
            step,
            pause: LazySleep::new(),
            running: false,
            rounds: 1,
            reached: 0,
            last: None,
            round: Round::new(guard),
        }
    }
}

impl<O, C> Future for StackFuture<O, C>
where
    O: Operation,
    C: Classify<O::Response, O::Error>,
{
    type Output = Result<O::Response, Error<O::Error>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut end = End::none();
        *self.as_mut().project().running = true;
        let polled = self.as_mut().poll_rounds(&mut end, cx);
        let this = self.project();
        *this.running = false;
        let result = ready!(polled);
        *this.step = Step::Ended;
        // What the call held, before anybody hears of its end.
        this.terms.slot = None;
        *this.last = None;
        let (parts, attempts, started) = (&**this.parts, *this.reached, this.terms.started);
        let outcome = match &result {
            Ok(_) => CallOutcome::Answered,
            Err(kind) => kind.into(),
        };
        parts.report(outcome, attempts, started, &end.now);
        Poll::Ready(result.map_err(|kind| {
            let report = Report {
                policy: Arc::clone(parts.reporter.name()),
                attempts,
                elapsed: end.now.instant().saturating_duration_since(started),
                retry_after: end.retry_after,
            };
            Error::new(kind, report)
        }))
    }
}

impl<O, C> StackFuture<O, C>
where
    O: Operation,
    C: Classify<O::Response, O::Error>,
{
    #[inline]
    fn poll_rounds(
        self: Pin<&mut Self>,
        end: &mut End,
        cx: &mut Context<'_>,
    ) -> Poll<OperationResult<O>> {
        let mut this = self.project();
        let (parts, terms) = (&**this.parts, &*this.terms);
        loop {
            match *this.step {
                Step::Round => {
                    let operation = &mut *this.operation;
                    let mut around = Around {
                        parts,
                        terms,
                        operation,
                        end,
                    };
                    let result = ready!(this.round.as_mut().poll(&mut around, cx));
                    *this.reached += this.round.attempts();
                    let Some(class) = end.verdict.class() else {
                        // What the caller must know is the failure before, if there was one.
                        let last = last_cause(this.last, end);
                        return Poll::Ready(last.unwrap_or(result));
                    };
                    end.retry_after = end.retry_after.max(class.retry_after);
                    if class.retry == Retry::Never || !O::REPEATABLE {
                        return Poll::Ready(result);
                    }
                    let at = end.now.instant();
                    let tried = terms.tried(&parts.config, class, *this.rounds, *this.reached);
                    let Some(start) = parts.next_start(tried, at) else {
                        return Poll::Ready(result);
                    };
                    let retry_after = end.retry_after;
                    *this.last = Some(Box::new(Past {
                        result,
                        retry_after,
                        at,
                    }));
                    *this.rounds += 1;
                    *this.step = Step::Wait(start);
                }
                Step::Wait(start) => {
                    ready!(this.pause.poll(|| start, cx));
                    *this.pause = LazySleep::new();
                    let now = Instant::now();
                    if !terms
                        .deadline(&parts.config)
                        .fits(parts.config.needed(), now)
                    {
                        // This task woke too late for a further attempt.
                        end.now = Now::from(now);
                        let last = last_cause(this.last, end);
                        return Poll::Ready(last.unwrap_or(Err(ErrorKind::DeadlineExceeded)));
                    }
                    let number = *this.reached + 1;
                    let guard = Guard::begin(parts, terms, number, now);
                    this.round.as_mut().begin(guard, number);
                    *this.step = Step::Round;
                }
                Step::TooLate => {
                    let policy = parts.reporter.policy();
                    let by = RejectedBy::Deadline;
                    parts.reporter.emit(&Event::Rejected { policy, by });
                    return Poll::Ready(Err(ErrorKind::DeadlineExceeded));
                }
                Step::Ended => return Poll::Pending,
            }
        }
    }
}

/// The result before the round in hand, with the later of their two hints when to come back. What it said about that was
/// said then, and of a hint that was waited out nothing is left.
fn last_cause<O: Operation>(
    last: &mut Option<Box<Past<O>>>,
    end: &mut End,
) -> Option<OperationResult<O>> {
    let Past {
        result,
        retry_after,
        at,
    } = *last.take()?;
    let since = end.now.instant().saturating_duration_since(at);
    end.retry_after = end.retry_after.max(left(retry_after, since));
    Some(result)
}
