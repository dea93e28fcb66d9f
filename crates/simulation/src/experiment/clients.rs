//! The lab's clients: each waits for its answer, leaves in the middle, or asks again under its key.

use holdfast_api::embedded::NewRequest;
use holdfast_checker::plan::Load;
use holdfast_checker::schedule::Arrival;
use holdfast_checker::trial::{Call, Completion};
use holdfast_policy::Priority;
use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep, timeout_at};

use crate::api::Api;
use crate::world::id;
use crate::world::time::Clock;

/// One client, with one request.
pub(super) struct Client {
    pub(super) api: Api,
    pub(super) load: Load,
    pub(super) arrival: Arrival,
    pub(super) epoch: Instant,
    pub(super) clock: Clock,
}

impl Client {
    /// From its first try to what it is left with.
    pub(super) async fn call(self) -> Call {
        let Arrival {
            at, until, leaves, ..
        } = self.arrival;
        let (sent, until) = (self.epoch.elapsed(), self.epoch + until);
        let mut tries = 0;
        let end = loop {
            tries += 1;
            let end = self.ask(tries, until).await;
            let content = leaves || end.is_promised();
            match self.load.asks_again {
                Some(pause) if !content && Instant::now() + pause < until => sleep(pause).await,
                _ => break end,
            }
        };
        Call {
            number: self.arrival.number,
            intended: at,
            sent,
            ended: self.epoch.elapsed(),
            surge: self.arrival.surge,
            end,
        }
    }

    async fn ask(&self, tries: u64, until: Instant) -> Completion {
        let waits = self.load.try_for.unwrap_or(self.load.patience);
        let until = match self.arrival.leaves {
            true => until,
            false => until.min(Instant::now() + waits),
        };
        let answer = self.api.answer(self.request(tries));
        match timeout_at(until, answer).await {
            Ok(end) => end,
            Err(_) if self.arrival.leaves => Completion::Left,
            Err(_) => Completion::GivenUp,
        }
    }

    fn request(&self, tries: u64) -> NewRequest {
        let key = format!("run-{}", self.arrival.number);
        let now = self.clock.now();
        NewRequest {
            id: id(now / 1000, (self.arrival.number << 8) + tries),
            payload: RawValue::from_string(format!("\"{key}\"")).ok(),
            key: Some(key),
            received_at: Timestamp::from_microsecond(now).unwrap_or_default(),
            priority: self.arrival.priority.map_or(Priority::USUAL, Priority::new),
        }
    }
}
