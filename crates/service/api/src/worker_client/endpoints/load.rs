//! How busy one endpoint is: the calls it has under way, and how long it takes.
//!
//! The latency is a moving average that follows a rise at once and a fall slowly ("peak EWMA", as in Finagle and in tower's
//! `load`), and a call that is still under way counts for what it has taken so far: an endpoint that hangs is seen to
//! before its first call has timed out. Pure: it is told what time it is.

use std::time::Duration;

use tokio::time::Instant;

/// Over this time an endpoint's past is mostly forgotten.
const MEMORY: Duration = Duration::from_secs(10);
/// For so long after a failure an endpoint is called only where there is no other: one that fails at once has nothing under
/// way, would look the least busy of all, and draw every call to itself.
const SUSPECT_FOR: Duration = Duration::from_secs(1);

/// What is known of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Load {
    latency: Option<Latency>,
    /// When each call under way began, with its number.
    under_way: Vec<(u64, Instant)>,
    next: u64,
    failed: Option<Instant>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallOutcome {
    /// With an answer, whose latency counts.
    Answered,
    /// It failed.
    Failed,
    /// Its caller left, or gave it up.
    Abandoned,
}

#[derive(Debug, Clone, Copy)]
struct Latency {
    seconds: f64,
    at: Instant,
}

impl Load {
    /// A call begins; the number is for [`Load::end`].
    pub(super) fn begin(&mut self, now: Instant) -> u64 {
        let number = self.next;
        self.next += 1;
        self.under_way.push((number, now));
        number
    }

    /// The call `number` is over.
    pub(super) fn end(&mut self, number: u64, end: CallOutcome, now: Instant) {
        let Some(index) = self.under_way.iter().position(|(it, _)| *it == number) else {
            return;
        };
        let (_, began) = self.under_way.swap_remove(index);
        let took = now.saturating_duration_since(began).as_secs_f64();
        match end {
            CallOutcome::Answered => {
                self.failed = None;
                self.observe(took, now);
            }
            CallOutcome::Failed => self.failed = Some(now),
            // Given up, after longer than an answer takes.
            CallOutcome::Abandoned if self.latency().is_some_and(|known| took > 2.0 * known) => {
                self.failed = Some(now);
            }
            CallOutcome::Abandoned => {}
        }
    }

    /// Whether the last that is known of it is a failure, of just now.
    pub(super) fn is_suspect(&self, now: Instant) -> bool {
        self.failed
            .is_some_and(|at| now.saturating_duration_since(at) < SUSPECT_FOR)
    }

    /// Seconds that an answer takes; `None` before the first.
    pub(super) fn latency(&self) -> Option<f64> {
        self.latency.map(|it| it.seconds)
    }

    /// What one more call would meet: the time of an answer for it and for each call that is before it. An endpoint that has
    /// never answered costs what its calls under way have taken so far.
    pub(super) fn cost(&self, now: Instant) -> f64 {
        let oldest = self.under_way.iter().map(|(_, began)| *began).min();
        let so_far = oldest.map_or(0.0, |began| {
            now.saturating_duration_since(began).as_secs_f64()
        });
        let latency = self.latency().unwrap_or(0.0).max(so_far);
        latency * as_f64(self.under_way.len() + 1)
    }

    fn observe(&mut self, seconds: f64, now: Instant) {
        let seconds = match self.latency {
            Some(known) if seconds < known.seconds => {
                let age = now.saturating_duration_since(known.at).as_secs_f64();
                let kept = (-age / MEMORY.as_secs_f64()).exp();
                known.seconds * kept + seconds * (1.0 - kept)
            }
            _ => seconds,
        };
        self.latency = Some(Latency { seconds, at: now });
    }
}

/// Far below what a double holds exactly.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_rise_is_followed_at_once_and_a_fall_slowly() {
        let (mut load, start) = (Load::default(), Instant::now());
        let first = load.begin(start);
        load.end(first, CallOutcome::Answered, start + SECOND);
        assert_eq!(load.latency(), Some(1.0));
        let slow = load.begin(start + SECOND);
        load.end(slow, CallOutcome::Answered, start + SECOND * 5);
        assert_eq!(load.latency(), Some(4.0));
        let fast = load.begin(start + SECOND * 5);
        load.end(fast, CallOutcome::Answered, start + SECOND * 6);
        let latency = load.latency().unwrap();
        assert!(3.5 < latency && latency < 4.0, "{latency}");
        let much_later = load.begin(start + SECOND * 99);
        load.end(much_later, CallOutcome::Answered, start + SECOND * 100);
        assert!(load.latency().unwrap() < 1.01, "the past is forgotten");
    }

    #[test]
    fn a_call_that_hangs_costs_more_with_each_moment() {
        let (mut load, start) = (Load::default(), Instant::now());
        let answered = load.begin(start);
        load.end(answered, CallOutcome::Answered, start + SECOND);
        load.begin(start + SECOND);
        assert!(load.cost(start + SECOND * 2) <= 2.0);
        assert!(load.cost(start + SECOND * 9) >= 16.0);
    }

    #[test]
    fn a_failure_does_not_make_an_endpoint_look_fast_and_gives_its_place_back() {
        let (mut load, start) = (Load::default(), Instant::now());
        let answered = load.begin(start);
        load.end(answered, CallOutcome::Answered, start + SECOND);
        let refused = load.begin(start + SECOND);
        load.end(refused, CallOutcome::Failed, start + SECOND);
        assert_eq!(load.latency(), Some(1.0));
        assert!(load.cost(start + SECOND) <= 1.0);
    }

    #[test]
    fn who_failed_is_suspect_for_a_second_or_until_it_answers() {
        let (mut load, start) = (Load::default(), Instant::now());
        let (failed, answered) = (load.begin(start), load.begin(start));
        load.end(failed, CallOutcome::Failed, start);
        assert!(load.is_suspect(start + SECOND / 2));
        assert!(!load.is_suspect(start + SECOND));
        load.end(answered, CallOutcome::Answered, start + SECOND / 2);
        assert!(!load.is_suspect(start + SECOND / 2));
        let left = load.begin(start);
        load.end(left, CallOutcome::Abandoned, start);
        assert!(!load.is_suspect(start));
        let given_up = load.begin(start);
        load.end(given_up, CallOutcome::Abandoned, start + SECOND * 2);
        assert!(load.is_suspect(start + SECOND * 2));
    }
}
