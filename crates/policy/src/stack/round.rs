//! What retry repeats: an attempt, and the race that a second one may make of it. The first whole answer wins.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::attempt::{Attempt, End};
use super::guard::Guard;
use super::terms::Terms;
use crate::attempt::{Operation, OperationResult};
use crate::class::{AttemptVerdict, Classify, left};
use crate::event::HedgeOutcome;
use crate::hedge::Delay;
use crate::lazy_sleep::LazySleep;
use crate::parts::Parts;

pin_project! {
    pub(super) struct Round<O: Operation> {
        #[pin]
        first: Attempt<O::Future>,
        // The number of the first attempt.
        number: u32,
        // `None`: the attempt is alone. In a box, for it is as large as all the rest, and few attempts have to wait.
        race: Option<Pin<Box<Race<O>>>>,
    }
}

pin_project! {
    /// What an attempt that may be hedged has beside itself.
    struct Race<O: Operation> {
        #[pin]
        second: Attempt<O::Future>,
        state: Second,
        // What the first attempt failed by, while the second is out.
        failed: Option<Failed<O>>,
    }
}

/// A first attempt that waits for the second.
struct Failed<O: Operation> {
    result: OperationResult<O>,
    verdict: AttemptVerdict,
    retry_after: Option<Duration>,
    at: Instant,
}

enum Second {
    Due(Instant, LazySleep),
    Out,
    /// There is none, or no longer.
    None,
}

/// Everything that a round works on beside itself.
pub(super) struct Around<'a, O, C> {
    pub(super) parts: &'a Parts<C>,
    pub(super) terms: &'a Terms,
    pub(super) operation: &'a mut O,
    /// How the attempt ended that was over last.
    pub(super) end: &'a mut End,
}

impl<O: Operation> Round<O> {
    /// The first one of a call, by the `guard` of its attempt.
    #[inline]
    pub(super) fn new(guard: Guard) -> Self {
        Self {
            first: Attempt::new(guard),
            number: 1,
            race: None,
        }
    }

    /// The next one, by the `guard` of the attempt `number` of its call.
    pub(super) fn begin(self: Pin<&mut Self>, guard: Guard, number: u32) {
        let this = self.project();
        *this.number = number;
        *this.race = None;
        this.first.begin(guard);
    }

    /// How many attempts of it have touched the dependency.
    #[inline]
    pub(super) fn attempts(&self) -> u32 {
        let second = self.race.as_ref();
        self.first.guard.attempts() + second.map_or(0, |race| race.second.guard.attempts())
    }

    /// Drops what is under way: the first attempt, then the second.
    pub(super) fn abandon<C>(self: Pin<&mut Self>, parts: &Parts<C>) {
        let this = self.project();
        let number = *this.number + 1;
        let abandoned = |race| Abandoned {
            race,
            parts,
            number,
        };
        let second = this.race.take().map(abandoned);
        this.first.abandon(parts);
        drop(second);
    }

    #[inline]
    pub(super) fn poll<C>(
        self: Pin<&mut Self>,
        around: &mut Around<'_, O, C>,
        cx: &mut Context<'_>,
    ) -> Poll<OperationResult<O>>
    where
        C: Classify<O::Response, O::Error>,
    {
        match around.hedge() {
            Some(delay) => self.poll_race(delay, around, cx),
            None => {
                let this = self.project();
                around.attempt(this.first, *this.number, false, cx)
            }
        }
    }

    fn poll_race<C>(
        self: Pin<&mut Self>,
        delay: &Delay,
        around: &mut Around<'_, O, C>,
        cx: &mut Context<'_>,
    ) -> Poll<OperationResult<O>>
    where
        C: Classify<O::Response, O::Error>,
    {
        let mut this = self.project();
        let number = *this.number + 1;
        let polled = around.attempt(this.first.as_mut(), *this.number, false, cx);
        if let Poll::Ready(result) = polled {
            let hedged = this.race.as_mut().filter(|race| race.is_out());
            let answered = around.end.verdict.is_answer();
            if answered || hedged.is_some() {
                let elsewhere = around.end.verdict.elsewhere();
                let admitted = this.first.guard.admitted();
                let since = admitted.and_then(|it| it.checked_add(elsewhere));
                delay.learn(since, &around.end.now);
            }
            match hedged {
                Some(race) if !answered => {
                    *race.as_mut().project().failed = Some(Failed {
                        result,
                        verdict: around.end.verdict,
                        retry_after: around.end.retry_after,
                        at: around.end.now.instant(),
                    });
                }
                Some(race) => {
                    race.as_mut().recall(around.parts);
                    around.parts.report_hedge(number, HedgeOutcome::Lost);
                    return Poll::Ready(result);
                }
                None => return Poll::Ready(result),
            }
        }
        // Until it has a slot there is none for a second.
        let Some(since) = this.first.guard.admitted() else {
            return Poll::Pending;
        };
        let new = || Box::pin(Race::new(delay, since));
        let race = this.race.get_or_insert_with(new);
        let result = ready!(race.as_mut().poll(around, number, cx));
        if around.end.verdict.is_answer() {
            // A first attempt that has failed before was counted then.
            if race.failed.is_none() {
                delay.learn(Some(since), &around.end.now);
            }
            this.first.abandon(around.parts);
            around.parts.report_hedge(number, HedgeOutcome::Won);
            return Poll::Ready(result);
        }
        around.parts.report_hedge(number, HedgeOutcome::Lost);
        match race.as_mut().project().failed.take() {
            Some(failed) => {
                // The race is over now, and not when the first attempt failed.
                Poll::Ready(failed.lose(around.end))
            }
            // The first attempt has been polled and will wake this task.
            None => Poll::Pending,
        }
    }
}

impl<O: Operation> Failed<O> {
    /// The second attempt has failed as well, by `end`. The caller gets what the first one failed by; what either said of
    /// when to come back holds, less what has gone by since.
    fn lose(self, end: &mut End) -> OperationResult<O> {
        let since = end.now.instant().saturating_duration_since(self.at);
        end.verdict = self.verdict.beside(&end.verdict, since);
        end.retry_after = left(self.retry_after, since).max(end.retry_after);
        self.result
    }
}

impl<O: Operation> Race<O> {
    /// Beside an attempt that the limit let pass at `since`.
    fn new(delay: &Delay, since: Instant) -> Self {
        let due = |delay| Second::Due(since + delay, LazySleep::new());
        Self {
            second: Attempt::new(Guard::none(since)),
            state: delay.now().map_or(Second::None, due),
            failed: None,
        }
    }

    fn is_out(&self) -> bool {
        matches!(self.state, Second::Out)
    }

    /// The end of the second attempt `number`, which is started when it is due.
    fn poll<C>(
        self: Pin<&mut Self>,
        around: &mut Around<'_, O, C>,
        number: u32,
        cx: &mut Context<'_>,
    ) -> Poll<OperationResult<O>>
    where
        C: Classify<O::Response, O::Error>,
    {
        let mut this = self.project();
        loop {
            *this.state = match this.state {
                Second::None => return Poll::Pending,
                Second::Due(at, sleep) => {
                    ready!(sleep.poll(|| *at, cx));
                    let Around { parts, terms, .. } = *around;
                    match Guard::beside(parts, terms, number) {
                        Some(guard) => {
                            this.second.as_mut().begin(guard);
                            Second::Out
                        }
                        None => Second::None,
                    }
                }
                Second::Out => {
                    let result = ready!(around.attempt(this.second, number, true, cx));
                    *this.state = Second::None;
                    return Poll::Ready(result);
                }
            };
        }
    }

    /// The second attempt is no longer wanted.
    fn recall<C>(self: Pin<&mut Self>, parts: &Parts<C>) {
        let this = self.project();
        *this.state = Second::None;
        this.second.abandon(parts);
    }
}

/// A race that nobody waits for any more. Its second attempt is given up also if the first one panics while
/// it is dropped.
struct Abandoned<'a, O: Operation, C> {
    race: Pin<Box<Race<O>>>,
    parts: &'a Parts<C>,
    number: u32,
}

impl<O: Operation, C> Drop for Abandoned<'_, O, C> {
    fn drop(&mut self) {
        if self.race.is_out() {
            self.race.as_mut().recall(self.parts);
            let outcome = HedgeOutcome::Cancelled;
            self.parts.report_hedge(self.number, outcome);
        }
    }
}

impl<'a, O: Operation, C> Around<'a, O, C> {
    /// What it may be hedged by.
    #[inline]
    fn hedge(&self) -> Option<&'a Delay> {
        let allowed = O::REPEATABLE && self.terms.idempotent;
        self.parts.hedge.as_ref().filter(|_| allowed)
    }

    #[inline]
    fn attempt(
        &mut self,
        attempt: Pin<&mut Attempt<O::Future>>,
        number: u32,
        hedged: bool,
        cx: &mut Context<'_>,
    ) -> Poll<OperationResult<O>>
    where
        C: Classify<O::Response, O::Error>,
    {
        let make = || self.operation.attempt(number, hedged);
        attempt.poll(self.parts, self.terms, make, self.end, cx)
    }
}
