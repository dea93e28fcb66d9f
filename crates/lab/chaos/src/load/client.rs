//! One request, from its first try to what its client makes of it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::post::Poster;
use super::{Attempt, CallHistory, Completion, Plan, leaver};
use holdfast_checker::schedule::Arrival;

/// The usual load is of so many.
const USUAL_CLIENTS: u64 = 4;

#[derive(Debug)]
pub struct Client {
    poster: Poster,
    plan: Plan,
    epoch: Instant,
}

/// The body of a request: its number for whoever reads the table, its key to find the row by.
pub fn body(number: u64, key: &str) -> Value {
    json!({"number": number, "key": key})
}

impl Client {
    /// Times count from `epoch`.
    pub fn new(plan: Plan, epoch: Instant) -> Self {
        Self {
            poster: Poster::default(),
            plan,
            epoch,
        }
    }

    /// Sends it now, and again where clients do so, for as long as this one has patience. Whoever stops waiting closes the
    /// connection.
    pub(super) async fn call(&self, arrival: Arrival) -> CallHistory {
        let mut history = self.plan.yet_to_be_tried(arrival);
        let body = body(arrival.number, &history.key);
        let until = self.epoch + arrival.until;
        let headers = headers(arrival);
        let first = usize::try_from(arrival.number).unwrap_or_default();
        loop {
            let api = (first + history.attempts.len()) % self.plan.urls.len().max(1);
            let made = match arrival.leaves {
                true => self.leave(api, &history.key, &body, until).await,
                false => self.ask(api, &history.key, &body, (&headers, until)).await,
            };
            let content = arrival.leaves || self.plan.contents(&made.end);
            history.attempts.push(made);
            match self.plan.load.asks_again {
                Some(pause) if !content && Instant::now() + pause < until => sleep(pause).await,
                _ => return history,
            }
        }
    }

    /// One try at one API.
    pub async fn make(&self, api: usize, key: &str, body: &Value) -> Attempt {
        let until = Instant::now() + self.plan.try_for();
        self.ask(api, key, body, (&[], until)).await
    }

    async fn ask(
        &self,
        api: usize,
        key: &str,
        body: &Value,
        (headers, until): (&[(&'static str, String)], Instant),
    ) -> Attempt {
        let until = until.min(Instant::now() + self.plan.try_for());
        let url = self.plan.endpoint(api);
        let body = (!self.plan.bodiless).then_some(body);
        self.timed(api, async {
            let made = timeout_at(until, self.poster.ask(&url, key, body, headers)).await;
            made.unwrap_or(Completion::GivenUp)
        })
        .await
    }

    async fn leave(&self, api: usize, key: &str, body: &Value, until: Instant) -> Attempt {
        let url = self.plan.endpoint(api);
        let body = (!self.plan.bodiless).then_some(body);
        self.timed(api, leaver::ask(&url, key, body, until)).await
    }

    async fn timed(&self, api: usize, end: impl Future<Output = Completion>) -> Attempt {
        let from = self.since_epoch();
        let end = end.await;
        let to = self.since_epoch();
        Attempt { api, from, to, end }
    }

    fn since_epoch(&self) -> Duration {
        self.epoch.elapsed()
    }
}

/// Whose call it is, and how urgent.
fn headers(arrival: Arrival) -> Vec<(&'static str, String)> {
    let client = match arrival.surge {
        true => "surge".to_owned(),
        false => format!("usual-{}", arrival.number % USUAL_CLIENTS),
    };
    let urgency = arrival
        .priority
        .map(|urgency| ("priority", format!("u={urgency}")));
    [("x-client", client)].into_iter().chain(urgency).collect()
}
