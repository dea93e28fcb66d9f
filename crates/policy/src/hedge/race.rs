//! Two attempts of which the first whole answer wins.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use super::rules::Rules;
use crate::call::Call;
use crate::class::{AttemptVerdict, Classify, Health, Retry};
use crate::error::Error;
use crate::event::HedgeOutcome;
use crate::handle::Handle;
use crate::lazy_sleep::LazySleep;
use crate::progress::{Admission, Progress};

pin_project! {
    /// What an attempt that may be hedged has beside itself.
    pub(super) struct Race<S: Service<Call<R>>, R, C> {
        rules: Handle<Rules>,
        service: S,
        call: Call<R>,
        classify: C,
        #[pin]
        second: Second<S::Future>,
        // What the first attempt failed by, while the second is out.
        failed: Option<Result<S::Response, S::Error>>,
        // Attempts of this race that are gone.
        gone: Gone,
    }

    impl<S: Service<Call<R>>, R, C> PinnedDrop for Race<S, R, C> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if matches!(*this.second, Second::Out { .. }) {
                this.second.set(Second::None);
                this.rules.emit(this.call.number + 1, HedgeOutcome::Cancelled);
            }
        }
    }
}

pin_project! {
    #[project = SecondProj]
    enum Second<F> {
        /// There is none, or no longer.
        None,
        Due { #[pin] sleep: LazySleep },
        Out { #[pin] future: F },
    }
}

/// What remains of attempts that are gone.
#[derive(Clone, Copy, Debug, Default)]
struct Gone {
    admission: Option<Admission>,
    attempts: u32,
}

impl<S: Service<Call<R>>, R, C> Race<S, R, C> {
    /// Beside the first attempt of `call`, which has just been made.
    pub(super) fn new(rules: Handle<Rules>, service: S, call: Call<R>, classify: C) -> Self {
        let due = rules.delay.now().map(|delay| call.now() + delay);
        let second = due.map_or(Second::None, |due| Second::Due {
            sleep: LazySleep::at(due),
        });
        Self {
            rules,
            service,
            call,
            classify,
            second,
            failed: None,
            gone: Gone::default(),
        }
    }

    pub(super) fn admission(&self) -> Option<Admission>
    where
        S::Future: Progress,
    {
        match &self.second {
            Second::Out { future } => future.admission(),
            Second::None | Second::Due { .. } => None,
        }
        .or(self.gone.admission)
    }

    pub(super) fn attempts(&self) -> u32
    where
        S::Future: Progress,
    {
        let out = match &self.second {
            Second::Out { future } => future.attempts(),
            Second::None | Second::Due { .. } => 0,
        };
        self.gone.attempts + out
    }
}

impl<S, R, C, E> Race<S, R, C>
where
    S: Service<Call<R>, Error = Error<E>>,
    S::Future: Progress,
    C: Classify<S::Response, E>,
    R: Clone,
{
    pub(super) fn poll(
        mut self: Pin<&mut Self>,
        mut first: Pin<&mut Option<S::Future>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<S::Response, Error<E>>> {
        if let Poll::Ready(result) = self.as_mut().poll_first(first.as_mut(), cx) {
            return Poll::Ready(result);
        }
        let result = ready!(self.as_mut().poll_second(first.as_mut(), cx));
        let (answered, result) = answers(result, &self.classify);
        let number = self.call.number + 1;
        if answered {
            self.as_mut().learn(first.as_ref().get_ref().as_ref());
            self.as_mut().bury(first.as_ref().get_ref().as_ref());
            first.set(None);
            self.rules.emit(number, HedgeOutcome::Won);
            return Poll::Ready(result);
        }
        self.rules.emit(number, HedgeOutcome::Lost);
        match self.project().failed.take() {
            Some(failed) => Poll::Ready(failed),
            // The first attempt has been polled and will wake this task.
            None => Poll::Pending,
        }
    }

    fn poll_first(
        mut self: Pin<&mut Self>,
        first: Pin<&mut Option<S::Future>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<S::Response, Error<E>>> {
        let Some(mut first) = first.as_pin_mut().filter(|_| self.failed.is_none()) else {
            return Poll::Pending;
        };
        let result = ready!(first.as_mut().poll(cx));
        let (answered, result) = answers(result, &self.classify);
        let is_hedged = matches!(self.second, Second::Out { .. });
        if answered || is_hedged {
            self.as_mut().learn(Some(&*first));
        }
        if is_hedged && !answered {
            *self.project().failed = Some(result);
            return Poll::Pending;
        }
        self.as_mut().recall();
        if is_hedged {
            self.rules.emit(self.call.number + 1, HedgeOutcome::Lost);
        }
        Poll::Ready(result)
    }

    /// The result of the second attempt, which is started when it is due.
    fn poll_second(
        mut self: Pin<&mut Self>,
        first: Pin<&mut Option<S::Future>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<S::Response, Error<E>>> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.second.as_mut().project() {
                SecondProj::None => return Poll::Pending,
                SecondProj::Due { sleep } => {
                    ready!(sleep.poll(cx));
                    let admission = first.as_ref().get_ref().as_ref();
                    let admission = admission.and_then(Progress::admission);
                    let call = &*this.call;
                    next(this.rules, call, admission).map_or(Second::None, |next| match next {
                        Next::Wait(sleep) => Second::Due { sleep },
                        Next::Start(now) => Second::Out {
                            future: this.service.call(call.clone().hedge(now)),
                        },
                    })
                }
                SecondProj::Out { future } => {
                    let result = ready!(future.poll(cx));
                    self.as_mut().recall();
                    return Poll::Ready(result);
                }
            };
            this.second.set(next);
        }
    }

    /// The second attempt is over, or no longer wanted.
    fn recall(mut self: Pin<&mut Self>) {
        if let Second::Out { future } = &self.as_ref().get_ref().second {
            let gone = Gone::of(future);
            self.as_mut().project().gone.add(gone);
        }
        self.project().second.set(Second::None);
    }

    /// The first attempt is no longer wanted.
    fn bury(self: Pin<&mut Self>, first: Option<&S::Future>) {
        if let Some(first) = first {
            self.project().gone.add(Gone::of(first));
        }
    }

    /// How long the first attempt was out.
    fn learn(self: Pin<&mut Self>, first: Option<&S::Future>) {
        let admission = first.and_then(Progress::admission);
        if let Some(at) = admission.and_then(|admission| admission.at) {
            self.rules.delay.learn(at.elapsed());
        }
    }
}

/// What becomes of a second attempt that is due.
enum Next {
    Wait(LazySleep),
    Start(Instant),
}

/// `None`: there will be none.
fn next<R>(rules: &Rules, call: &Call<R>, first: Option<Admission>) -> Option<Next> {
    // Without a slot of its own it waits for want of slots, and a second would wait as well.
    let admitted = first?.at?;
    let due = admitted + rules.delay.now()?;
    let now = Instant::now();
    // It had to wait for its slot: that is no slowness.
    if due > now {
        return Some(Next::Wait(LazySleep::at(due)));
    }
    let granted = rules.grant(call.deadline, now);
    granted.then_some(Next::Start(now))
}

/// Whether a result is a whole answer, which ends the race.
fn answers<T, E, C: Classify<T, E>>(
    result: Result<T, Error<E>>,
    classify: &C,
) -> (bool, Result<T, Error<E>>) {
    let (verdict, result) = AttemptVerdict::of(result, classify);
    let answered = match verdict {
        AttemptVerdict::Finished(class) => match class.health {
            Health::Success => true,
            Health::Neutral => class.retry == Retry::Never,
            Health::Failure => false,
        },
        AttemptVerdict::TimedOut | AttemptVerdict::Cut | AttemptVerdict::Rejected => false,
    };
    (answered, result)
}

impl Gone {
    fn of<F: Progress>(attempt: &F) -> Self {
        Self {
            admission: attempt.admission(),
            attempts: attempt.attempts(),
        }
    }

    fn add(&mut self, other: Self) {
        self.admission = self.admission.or(other.admission);
        self.attempts += other.attempts;
    }
}
