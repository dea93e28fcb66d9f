//! When to send: at once when something has changed, now and then when nothing has.

use std::time::Duration;

use holdfast_wire::Live;
use tokio::time::Instant;

/// A reader that hears nothing for several times as long may take the service for dead.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// What was sent last, and when.
#[derive(Debug, Default)]
pub(super) struct Pulse(Option<(Live, Instant)>);

impl Pulse {
    /// Whether to send `live` now; remembers it if so.
    pub(super) fn is_due(&mut self, live: &Live, now: Instant) -> bool {
        let due = match &self.0 {
            Some((sent, at)) => sent != live || now.duration_since(*at) >= HEARTBEAT,
            None => true,
        };
        if due {
            self.0 = Some((live.clone(), now));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use holdfast_wire::{
        Breaker, Database, Dependencies, Dependency, Latencies, Latency, Load, Recovery, Schema,
        Status, Worker,
    };

    use super::*;

    fn live(open_work: u64) -> Live {
        let dependency = || Dependency {
            breaker: Breaker::Closed,
            failure_rate: None,
            slow_call_rate: None,
            in_flight: 0,
            limit: 1,
            retry_budget: 1.0,
            retry_after_seconds: None,
            last_error: None,
            opened_because: None,
        };
        let latency = || Latency {
            attempts: 0,
            p50_seconds: None,
            p99_seconds: None,
        };
        Live {
            status: Status {
                ready: true,
                dependencies: Dependencies {
                    worker: Worker {
                        dependency: dependency(),
                        endpoints: Vec::new(),
                    },
                    database: Database {
                        dependency: dependency(),
                        schema: Schema::Current,
                    },
                },
                journal: None,
                recovery: Recovery {
                    in_flight: 0,
                    limit: 1,
                    replayed_per_second: 0.0,
                    finished_per_second: 0.0,
                },
                oldest_open_seconds: None,
                open_work: Some(open_work),
            },
            latency: Latencies {
                worker: latency(),
                database: latency(),
            },
            load: Load::default(),
        }
    }

    #[test]
    fn what_changed_is_sent_at_once_and_what_did_not_every_two_seconds() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pulse = Pulse::default();
        let plan = [
            (0, 1),
            (250, 1),
            (500, 2),
            (750, 2),
            (2_250, 2),
            (2_500, 2),
            (2_750, 2),
        ];
        let sent = plan.map(|(millis, open)| pulse.is_due(&live(open), at(millis)));
        assert_eq!(sent, [true, false, true, false, false, true, false]);
    }
}
