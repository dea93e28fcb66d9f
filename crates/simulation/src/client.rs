//! Clients: they call, hang up, ask again under their key, and note what they were told.

use std::time::Duration;

use fastrand::Rng;
use holdfast_api::embedded::NewRequest;
use holdfast_policy::Priority;
use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::time::{sleep, timeout};

use crate::check;
use crate::history::{History, Told};
use crate::plan::Call;
use crate::postgres::live::POISON;
use crate::postgres::server::Server;
use crate::replica::{Life, Replica};
use crate::world::{id, number};

/// Who calls.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) replicas: Vec<Replica>,
    /// Where answers are noted.
    pub(crate) history: History,
    /// To see whether what was told is so.
    pub(crate) server: Server,
    pub(crate) seed: u64,
}

impl Client {
    /// Makes `call`, and again as often as it says.
    pub(crate) async fn make(self, call: Call) {
        let mut rng = Rng::with_seed(self.seed ^ call.at << 20 ^ u64::from(call.repeats));
        let mut promised = false;
        for attempt in 0..=call.repeats {
            let replica = (usize::from(call.replica) + usize::from(attempt)) % self.replicas.len();
            let told = match self.replicas[replica].life() {
                Some(life) => self.ask(&life, call, attempt == 0).await,
                None => false,
            };
            if promised {
                return;
            }
            promised |= told;
            if attempt < call.repeats {
                sleep(Duration::from_millis(rng.u64(100..4000))).await;
            }
        }
    }

    /// Whether something was promised.
    async fn ask(&self, life: &Life, call: Call, is_first: bool) -> bool {
        let trace = &life.peer.trace;
        let received_at = Timestamp::from_microsecond(life.peer.clock.now()).unwrap_or_default();
        let request = NewRequest {
            priority: Priority::USUAL,
            id: id(received_at.as_millisecond(), self.history.asks()),
            key: call.key.map(|key| format!("key-{key}")),
            payload: payload(call),
            received_at,
        };
        let (asked_at, request_id) = (trace.now(), request.id);
        trace.note(
            life.peer.replica,
            "called",
            number(request_id),
            call.key.map_or(0, u64::from),
        );
        let mut answer = Box::pin(life.process(request));
        let outcome = match call.leaves.filter(|_| is_first) {
            Some(leaves) => timeout(Duration::from_millis(leaves), &mut answer).await,
            None => Ok((&mut answer).await),
        };
        let outcome = outcome.unwrap_or_else(|_gone| {
            life.leave(answer);
            None
        });
        let Some(outcome) = outcome else {
            trace.note(life.peer.replica, "left", number(request_id), 0);
            return false;
        };
        let told = Told {
            request: request_id,
            key: call.key,
            poison: call.poison,
            replica: (life.peer.replica, life.number),
            asked_at,
            told_at: trace.now(),
            outcome,
        };
        trace.note(life.peer.replica, "told", number(request_id), told.status());
        self.history
            .violate(check::recorded::at_once(&told, &self.server, trace));
        let promised = told.promise().is_some();
        self.history.tell(told);
        promised
    }
}

fn payload(call: Call) -> Option<Box<RawValue>> {
    let text = match (call.poison, call.key) {
        (true, _) => POISON.to_owned(),
        (false, Some(key)) => format!("{{\"key\":{key}}}"),
        (false, None) => return None,
    };
    RawValue::from_string(text).ok()
}
