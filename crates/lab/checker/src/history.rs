//! What became of one request, try by try, as data. Times count from the run's epoch.

use std::time::Duration;

use super::durability::Accepted;
use super::trial::{Answer, Call, Completion};

/// A request with every try it took.
#[derive(Debug, Clone, PartialEq)]
pub struct CallHistory {
    /// Its number, which its body carries.
    pub number: u64,
    pub key: String,
    pub intended: Duration,
    /// Whether it is none of the usual load's, but of a surge.
    pub surge: bool,
    /// After all but the last its client asked again; none: the run was cut off before the call was over.
    pub attempts: Vec<Attempt>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Which, counted from 0.
    pub api: usize,
    pub from: Duration,
    pub to: Duration,
    pub end: Completion,
}

impl Attempt {
    /// Whether an API may have seen it, and recorded it, whatever came back.
    pub fn may_have_arrived(&self) -> bool {
        !matches!(self.end, Completion::Refused | Completion::NoFile)
    }
}

impl CallHistory {
    /// The answer it ended with; none: it was given up.
    pub fn answer(&self) -> Option<&Answer> {
        self.attempts.last()?.end.answer()
    }

    pub fn accepted(&self) -> Option<Accepted> {
        let answer = self.answer()?;
        Some(Accepted {
            id: answer.request_id.filter(|_| answer.is_promise())?,
            key: self.key.clone(),
            status: answer.status,
        })
    }

    /// From the intended start to the end of the last try.
    pub fn latency(&self) -> Duration {
        let end = self.attempts.last().map_or(self.intended, |last| last.to);
        end.saturating_sub(self.intended)
    }

    /// As an experiment looks at it: what its client was left with, however often it asked.
    pub fn call(&self) -> Call {
        let (first, last) = (self.attempts.first(), self.attempts.last());
        Call {
            number: self.number,
            intended: self.intended,
            sent: first.map_or(self.intended, |made| made.from),
            ended: last.map_or(self.intended, |made| made.to),
            surge: self.surge,
            end: last.map_or(Completion::GivenUp, |made| made.end.clone()),
        }
    }
}
