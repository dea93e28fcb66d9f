//! What became of one request, try by try, as data.

use std::time::Duration;

use uuid::Uuid;

use super::durability::Accepted;
use super::trial::{Call, Completion};

/// A request with every try it took. Times count from the run's epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct CallHistory {
    /// Its number, which its body carries.
    pub number: u64,
    /// Its `Idempotency-Key`.
    pub key: String,
    /// When it was meant to be sent.
    pub intended: Duration,
    /// Whether it is none of the usual load's, but of a surge.
    pub surge: bool,
    /// After all but the last its client asked again; none: the run was cut off before the call was over.
    pub attempts: Vec<Attempt>,
}

/// One call of one API.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Which, counted from 0.
    pub api: usize,
    /// When the call began.
    pub from: Duration,
    /// When it ended.
    pub to: Duration,
    /// How it ended.
    pub reply: Reply,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// With an HTTP answer, of whatever status.
    Answer(Answer),
    /// Without one.
    Broken(Broken),
}

/// An answer, as much of it as could be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Of the request.
    pub request_id: Option<Uuid>,
    /// Of a problem body.
    pub code: Option<String>,
    /// `CODE:REASON` of all that it had to do without.
    pub degraded: Vec<String>,
    /// Where it says the promise is durable.
    pub recorded_in: Option<String>,
    /// Whether it carries the worker's answer.
    pub has_result: bool,
    /// That answer, as JSON without idle space.
    pub result: Option<String>,
    /// The header `Location`.
    pub location: Option<String>,
    /// The header `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Nobody listens.
    Refused,
    /// The client itself could not open a connection: it has no file left for one.
    NoFile,
    /// The connection ended in the middle.
    Reset,
    /// Nothing came within the time of a try.
    Silent,
    /// The client left, as it was meant to.
    Left,
}

impl Reply {
    /// The answer; none: there was none.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answer(answer) => Some(answer),
            Self::Broken(_) => None,
        }
    }
}

impl Answer {
    /// Whether it promises something: 200 or 202.
    #[must_use]
    pub fn is_promise(&self) -> bool {
        matches!(self.status, 200 | 202)
    }

    /// Whether it is 200 and nothing was missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.status == 200 && self.degraded.is_empty()
    }
}

impl Attempt {
    /// Whether an API may have seen it, and recorded it, whatever came back.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        let before = [Broken::Refused, Broken::NoFile].map(Reply::Broken);
        !before.contains(&self.reply)
    }
}

impl CallHistory {
    /// The answer it ended with; none: it was given up.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.attempts.last()?.reply.answer()
    }

    /// The promise it was given, if any.
    #[must_use]
    pub fn accepted(&self) -> Option<Accepted> {
        let answer = self.answer()?;
        Some(Accepted {
            id: answer.request_id.filter(|_| answer.is_promise())?,
            key: self.key.clone(),
            status: answer.status,
        })
    }

    /// From the intended start to the end of the last try.
    #[must_use]
    pub fn latency(&self) -> Duration {
        let end = self.attempts.last().map_or(self.intended, |last| last.to);
        end.saturating_sub(self.intended)
    }

    /// As an experiment looks at it: what its client was left with, however often it asked.
    #[must_use]
    pub fn call(&self) -> Call {
        let (first, last) = (self.attempts.first(), self.attempts.last());
        Call {
            number: self.number,
            intended: self.intended,
            sent: first.map_or(self.intended, |made| made.from),
            ended: last.map_or(self.intended, |made| made.to),
            surge: self.surge,
            end: last.map_or(Completion::GivenUp, |made| end(&made.reply)),
        }
    }
}

fn end(reply: &Reply) -> Completion {
    match reply {
        Reply::Answer(answer) => Completion::Answered {
            status: answer.status,
            request_id: answer.request_id,
            has_result: answer.has_result,
            degraded: answer.degraded.clone(),
            recorded_in: answer.recorded_in.clone(),
        },
        Reply::Broken(Broken::Refused) => Completion::Refused,
        Reply::Broken(Broken::NoFile) => Completion::NoFile,
        Reply::Broken(Broken::Reset) => Completion::Reset,
        Reply::Broken(Broken::Silent) => Completion::GivenUp,
        Reply::Broken(Broken::Left) => Completion::Left,
    }
}
