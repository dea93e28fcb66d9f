//! One request, from its first try to what its client makes of it.

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::super::trial::{Call, End};
use super::schedule::Arrival;
use super::{LoadPlan, leaver};
use crate::load::{Answer, Broken, Poster, Reply, body};

/// The usual load is of so many.
const USUAL_CLIENTS: u64 = 4;

/// A client of one endpoint.
#[derive(Debug)]
pub(super) struct Client {
    poster: Poster,
    plan: LoadPlan,
    url: String,
    epoch: Instant,
}

impl Client {
    pub(super) fn new(plan: LoadPlan, epoch: Instant) -> Self {
        let url = format!("{}{}", plan.url.trim_end_matches('/'), plan.side.path());
        Self {
            poster: Poster::new(),
            plan,
            url,
            epoch,
        }
    }

    /// Sends it now, and waits as long as its client does. Whoever stops waiting closes the connection.
    pub(super) async fn call(&self, arrival: Arrival) -> Call {
        let sent = self.epoch.elapsed();
        let key = self.plan.key(arrival.number);
        let body = body(arrival.number, &key);
        let until = self.epoch + arrival.until;
        let end = if arrival.leaves {
            let body = (!self.plan.bodiless).then_some(&body);
            leaver::ask(&self.url, &key, body, until).await
        } else {
            self.ask(arrival, &key, &body).await
        };
        Call {
            number: arrival.number,
            intended: arrival.at,
            sent,
            ended: self.epoch.elapsed(),
            surge: arrival.surge.is_some(),
            end,
        }
    }

    /// Asks, and again where clients do so, for as long as this one has patience.
    async fn ask(&self, arrival: Arrival, key: &str, body: &Value) -> End {
        let until = self.epoch + arrival.until;
        let headers = headers(arrival);
        let body = (!self.plan.bodiless).then_some(body);
        loop {
            let answer = self.poster.ask(&self.url, key, body, &headers);
            let limit = self.plan.load.try_for.map(|limit| Instant::now() + limit);
            let limit = limit.map_or(until, |limit| limit.min(until));
            let reply = timeout_at(limit, answer).await;
            let end = reply.map_or(End::GivenUp, end);
            match self.plan.load.asks_again {
                Some(pause) if !is_promise(&end) && Instant::now() + pause < until => {
                    sleep(pause).await;
                }
                _ => return end,
            }
        }
    }
}

/// Whose call it is, and how urgent.
fn headers(arrival: Arrival) -> Vec<(&'static str, String)> {
    let client = match arrival.surge {
        Some(_) => "surge".to_owned(),
        None => format!("usual-{}", arrival.number % USUAL_CLIENTS),
    };
    let urgency = arrival.surge.and_then(|surge| surge.priority);
    let urgency = urgency.map(|urgency| ("priority", format!("u={urgency}")));
    [("x-client", client)].into_iter().chain(urgency).collect()
}

fn is_promise(end: &End) -> bool {
    matches!(
        end,
        End::Answered {
            status: 200 | 202,
            ..
        }
    )
}

fn end(reply: Reply) -> End {
    match reply {
        Reply::Answer(Answer {
            status,
            request_id,
            has_result,
            degraded,
            recorded_in,
            ..
        }) => End::Answered {
            status,
            request_id,
            has_result,
            degraded,
            recorded_in,
        },
        Reply::Broken(Broken::Refused) => End::Refused,
        Reply::Broken(Broken::NoFile) => End::NoFile,
        Reply::Broken(Broken::Reset) => End::Reset,
        // The system gave up on the connection before the client did.
        Reply::Broken(Broken::Silent) => End::GivenUp,
    }
}
