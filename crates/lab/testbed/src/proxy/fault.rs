//! What the link can do, and what that means for one request.

use std::time::Duration;

use fastrand::Rng;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};

use super::exchange::Disposition;

/// What the link does. A `share` is of requests, from 0 to 1; each request's disposition is drawn when it begins, and again
/// when the fault changes before it has its answer.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Everything is forwarded.
    #[default]
    None,
    /// The port refuses connections; existing ones are reset.
    Refuse,
    /// Connections are accepted, and nothing is forwarded in either direction: what a stopped process looks like.
    Hang,
    /// New connections get no answer to their SYN, existing ones fall silent: what dropped packets look like.
    Blackhole,
    /// The answer is held back, from its first byte on.
    Latency {
        #[serde(with = "friendly")]
        delay: Duration,
        /// Give or take, uniformly.
        #[serde(with = "friendly")]
        jitter: Duration,
        share: f64,
    },
    /// The connection is reset (RST) once `after` bytes of the answer have passed. A shorter answer passes whole.
    Reset {
        /// Bytes of the answer let through; 0: the request does not reach the upstream either.
        after: usize,
        share: f64,
    },
    /// In place of the upstream the link answers with bytes of no protocol, then closes the connection.
    Garbage { share: f64 },
    /// In place of the upstream the link answers with this HTTP status, no body, and keeps the connection. For requests
    /// without a body.
    Status { code: u16, share: f64 },
}

impl Fault {
    /// Whether nothing passes in either direction, whatever is said.
    pub(super) fn is_silent(self) -> bool {
        matches!(self, Self::Hang | Self::Blackhole)
    }

    /// What becomes of a request.
    pub(super) fn disposition(self, random: &mut Rng) -> Disposition {
        match self {
            Self::None | Self::Refuse | Self::Hang | Self::Blackhole => Disposition::Pass,
            Self::Latency { share, .. }
            | Self::Reset { share, .. }
            | Self::Garbage { share }
            | Self::Status { share, .. }
                if random.f64() >= share =>
            {
                Disposition::Pass
            }
            Self::Latency { delay, jitter, .. } => Disposition::Late(around(delay, jitter, random)),
            Self::Reset { after, .. } => Disposition::Cut { left: after },
            Self::Garbage { .. } => Disposition::Garbage,
            Self::Status { code, .. } => Disposition::Status(code),
        }
    }
}

/// Uniform between `middle - spread`, at least nothing, and `middle + spread`.
fn around(middle: Duration, spread: Duration, random: &mut Rng) -> Duration {
    (middle + spread.mul_f64(2.0 * random.f64())).saturating_sub(spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(fault: Fault) -> Vec<Disposition> {
        let mut random = Rng::with_seed(1);
        (0..1000).map(|_| fault.disposition(&mut random)).collect()
    }

    #[test]
    fn none_and_all_are_exactly_that() {
        for (share, expected) in [
            (0.0, Disposition::Pass),
            (1.0, Disposition::Cut { left: 7 }),
        ] {
            let all = drawn(Fault::Reset { after: 7, share });
            assert!(all.iter().all(|it| *it == expected), "{share}");
        }
    }

    #[test]
    fn jitter_spreads_a_delay_evenly_to_both_sides_and_never_below_nothing() {
        let millis = Duration::from_millis;
        let delays = |delay, jitter| -> Vec<Duration> {
            let fault = Fault::Latency {
                delay,
                jitter,
                share: 1.0,
            };
            let late = |disposition| match disposition {
                Disposition::Late(by) => by,
                other => panic!("{other:?}"),
            };
            drawn(fault).into_iter().map(late).collect()
        };
        let ends =
            |delays: Vec<Duration>| (*delays.iter().min().unwrap(), *delays.iter().max().unwrap());
        let (least, most) = ends(delays(millis(100), millis(20)));
        assert!(millis(80) <= least && least < millis(85), "{least:?}");
        assert!(millis(115) < most && most <= millis(120), "{most:?}");
        assert_eq!(ends(delays(millis(10), millis(50))).0, Duration::ZERO);
        let always = (millis(10), millis(10));
        assert_eq!(ends(delays(millis(10), Duration::ZERO)), always);
    }
}
