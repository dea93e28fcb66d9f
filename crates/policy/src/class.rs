//! What a finished attempt says about the dependency, and about trying again.
//!
//! Only the owner of an operation can tell a refused row from a dead server, so the policies ask a
//! [`Classify`] of theirs. It sees answers as well as errors: an HTTP 503 is an answer and still a
//! failure. It is asked once for each attempt, and must be a pure function.

use std::time::Duration;

/// What an attempt says about the dependency's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Success,
    /// It says nothing: a malformed request refused, a wait for the caller's own pool.
    Neutral,
    /// It does not work.
    Failure,
}

/// Whether a further attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same would happen again.
    Never,
    /// Only if doing it twice is harmless: the dependency may have done it already.
    IfIdempotent,
    /// The request is known never to have reached the dependency.
    Always,
}

/// The verdict on one finished attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Class {
    /// What it says about the dependency.
    pub health: Health,
    /// Whether a further attempt may be made.
    pub retry: Retry,
    /// How long the dependency asked to be left alone.
    pub retry_after: Option<Duration>,
    /// The dependency is well and has too much to do: it refused before it began.
    pub throttled: bool,
    /// How much of the attempt's time was not the dependency's.
    pub elsewhere: Duration,
    /// What the failure is called, from a closed set: the breaker says it when it opens.
    pub cause: Option<&'static str>,
}

impl Class {
    /// The dependency works.
    pub const fn success() -> Self {
        Self::of(Health::Success)
    }

    /// The attempt says nothing about the dependency.
    pub const fn neutral() -> Self {
        Self::of(Health::Neutral)
    }

    /// The dependency failed.
    pub const fn failure() -> Self {
        Self::of(Health::Failure)
    }

    /// The dependency refused because it has too much to do (HTTP 429, or 503 with `Retry-After`).
    /// A failure like any other to the breaker; to retry one that costs less and waits longer.
    pub const fn throttled() -> Self {
        Self {
            throttled: true,
            ..Self::failure().retry_if_idempotent()
        }
    }

    /// May be tried again if the call is idempotent.
    pub const fn retry_if_idempotent(self) -> Self {
        Self {
            retry: Retry::IfIdempotent,
            ..self
        }
    }

    /// May be tried again: the request never reached the dependency.
    pub const fn retry_always(self) -> Self {
        Self {
            retry: Retry::Always,
            ..self
        }
    }

    /// The dependency asked not to be called for `wait`.
    pub const fn retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    /// So much of the attempt's time was not the dependency's: it went to an address that did not answer, to a lock, to a
    /// cache. By the rest the attempt is judged slow or not, and learnt from by an adaptive limit and an observed hedging delay.
    pub const fn elsewhere(self, time: Duration) -> Self {
        Self {
            elsewhere: time,
            ..self
        }
    }

    /// Names the failure, such as `connect_refused`.
    pub const fn because(self, cause: &'static str) -> Self {
        Self {
            cause: Some(cause),
            ..self
        }
    }

    const fn of(health: Health) -> Self {
        Self {
            health,
            retry: Retry::Never,
            retry_after: None,
            throttled: false,
            elsewhere: Duration::ZERO,
            cause: None,
        }
    }
}

/// Tells what an attempt's outcome means. Closures `Fn(&Result<T, E>) -> Class` do.
pub trait Classify<T, E>: Send + Sync + 'static {
    /// The verdict on `outcome`.
    fn classify(&self, outcome: &Result<T, E>) -> Class;
}

impl<T, E, F> Classify<T, E> for F
where
    F: Fn(&Result<T, E>) -> Class + Send + Sync + 'static,
{
    fn classify(&self, outcome: &Result<T, E>) -> Class {
        self(outcome)
    }
}

/// Every answer is a success; every error a failure, retried if the call is idempotent.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorsAreFailures;

impl<T, E> Classify<T, E> for ErrorsAreFailures {
    fn classify(&self, outcome: &Result<T, E>) -> Class {
        match outcome {
            Ok(_) => Class::success(),
            Err(_) => Class::failure().retry_if_idempotent(),
        }
    }
}

/// What is left of a wait that was asked for so long ago; of one that was waited out nothing.
pub(crate) fn left(wait: Option<Duration>, since: Duration) -> Option<Duration> {
    let left = wait.and_then(|wait| wait.checked_sub(since));
    left.filter(|wait| !wait.is_zero())
}

/// What breaker, limit, hedge and retry learn of an attempt that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptVerdict {
    /// The dependency answered or failed, and the classifier spoke.
    Finished(Class),
    /// The attempt timeout cut it.
    TimedOut,
    /// The deadline of its call cut it.
    Cut,
    /// A policy refused; the dependency was not touched.
    Rejected,
}

impl AttemptVerdict {
    /// Whether it is a whole answer, which ends a race: a success, or a neutral answer that is final.
    pub(crate) fn is_answer(&self) -> bool {
        match self {
            Self::Finished(class) => match class.health {
                Health::Success => true,
                Health::Neutral => class.retry == Retry::Never,
                Health::Failure => false,
            },
            Self::TimedOut | Self::Cut | Self::Rejected => false,
        }
    }

    /// How much of the attempt's time was not the dependency's.
    #[inline]
    pub(crate) fn elsewhere(&self) -> Duration {
        match self {
            Self::Finished(class) => class.elsewhere,
            Self::TimedOut | Self::Cut | Self::Rejected => Duration::ZERO,
        }
    }

    /// Of an attempt that failed so long ago, and with it now the `other` one of its race: it is what both failed by. What the
    /// dependency said to either of its load and of when to come back holds.
    pub(crate) fn beside(&self, other: &Self, since: Duration) -> Self {
        let (Some(class), Some(other)) = (self.class(), other.class()) else {
            return *self;
        };
        Self::Finished(Class {
            retry_after: left(class.retry_after, since).max(other.retry_after),
            throttled: class.throttled || other.throttled,
            ..class
        })
    }

    /// The class retry decides by; `None` for a rejection. A timed-out attempt may have been
    /// carried out, so it is repeated only if that is harmless. After the deadline nothing is.
    #[inline]
    pub(crate) fn class(&self) -> Option<Class> {
        match self {
            Self::Finished(class) => Some(*class),
            Self::TimedOut => Some(Class::failure().retry_if_idempotent()),
            Self::Cut => Some(Class::neutral()),
            Self::Rejected => None,
        }
    }
}
