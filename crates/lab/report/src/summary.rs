//! The figures of one side that a reader wants first: counts of ends, latency, what Postgres says.

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use super::series::arrivals;
use super::words::{count, or_none, share};
use holdfast_checker::figures::percentile;
use holdfast_checker::measure::GRACE;
use holdfast_checker::trial::{Call, Trial};

/// One side in numbers, over all its calls.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    pub calls: usize,
    /// Answered 200, nothing missing.
    pub whole: usize,
    /// Answered 200 without something.
    pub degraded: usize,
    pub deferred: usize,
    pub errors: usize,
    /// Answered, with whatever status, within the bound and the 300 ms that checks allow the machine.
    pub within_bound: usize,
    /// No HTTP answer: given up, refused, reset.
    pub unanswered: usize,
    /// Clients that left as they were meant to, or calls the load generator could not send.
    pub aside: usize,
    /// Latency from the intended start, in seconds; none: no calls.
    pub p50_seconds: Option<f64>,
    pub p99_seconds: Option<f64>,
    pub slowest_seconds: Option<f64>,
    /// Most arrivals at the worker within a second; none: it could not tell.
    pub peak_arrivals: Option<f64>,
    /// Promised or stored, and not done.
    pub lost: u64,
    /// Rows beyond the first for the same request.
    pub duplicates: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub name: &'static str,
    pub naive: String,
    pub resilient: String,
}

impl Summary {
    pub fn of(trial: &Trial) -> Self {
        Self::over(trial, |_| true)
    }

    /// Of the usual load's calls that were meant to be sent while a fault was in force. What is lost, and how many arrived at the worker, is
    /// known of the whole only.
    pub fn during_faults(trial: &Trial) -> Self {
        Self::over(trial, |call| {
            let mut faults = trial.faults.iter();
            !call.surge && faults.any(|fault| (fault.from..fault.to).contains(&call.intended))
        })
    }

    fn over(trial: &Trial, wanted: impl Fn(&Call) -> bool) -> Self {
        let calls: Vec<&Call> = trial.calls.iter().filter(|call| wanted(call)).collect();
        let counted = |wanted: &[Outcome]| {
            let ends = calls.iter().copied().map(Outcome::of);
            ends.filter(|end| wanted.contains(end)).count()
        };
        let limit = trial.bound + GRACE;
        let in_time = |call: &&&Call| call.status().is_some() && call.latency() <= limit;
        let mut latencies: Vec<f64> = calls
            .iter()
            .filter(|call| !matches!(Outcome::of(call), Outcome::Left | Outcome::NotSent))
            .map(|call| call.latency().as_secs_f64())
            .collect();
        latencies.sort_by(f64::total_cmp);
        let at = |share| Some(percentile(&latencies, share)).filter(|value| value.is_finite());
        Self {
            calls: calls.len(),
            whole: counted(&[Outcome::Whole]),
            degraded: counted(&[Outcome::Degraded]),
            deferred: counted(&[Outcome::Deferred]),
            errors: counted(&[Outcome::Error]),
            within_bound: calls.iter().filter(in_time).count(),
            unanswered: counted(&[Outcome::Unanswered]),
            aside: counted(&[Outcome::Left, Outcome::NotSent]),
            p50_seconds: at(0.5),
            p99_seconds: at(0.99),
            slowest_seconds: at(1.0),
            peak_arrivals: arrivals(&trial.samples)
                .into_iter()
                .flatten()
                .reduce(f64::max),
            lost: trial.durability.lost,
            duplicates: trial.durability.duplicates,
        }
    }

    /// Answered 200, or promised by a 202.
    pub(super) fn promised(&self) -> usize {
        self.whole + self.degraded + self.deferred
    }

    /// Calls that an answer was wanted for.
    pub(super) fn wanted(&self) -> usize {
        self.calls - self.aside.min(self.calls)
    }

    fn of_all(&self, part: usize) -> String {
        match part {
            0 => "0".to_owned(),
            some => format!("{} ({})", count(some), share(some, self.calls)),
        }
    }
}

/// What a reader wants to know first, before any other figure: what came of it while it was broken.
pub fn tiles(naive: &Summary, resilient: &Summary) -> [Row; 4] {
    let row = |name, figure: fn(&Summary) -> String| Row {
        name,
        naive: figure(naive),
        resilient: figure(resilient),
    };
    [
        row("answered or promised", |it| {
            share(it.promised(), it.wanted())
        }),
        row("lost", |it| count(it.lost)),
        row("p99", |it| or_none(it.p99_seconds)),
        row("within the bound", |it| share(it.within_bound, it.wanted())),
    ]
}

/// Both sides' figures, line by line.
pub fn rows(naive: &Summary, resilient: &Summary) -> Vec<Row> {
    let row = |name, figure: fn(&Summary) -> String| Row {
        name,
        naive: figure(naive),
        resilient: figure(resilient),
    };
    let mut rows = vec![
        row("calls", |it| count(it.calls)),
        row("200, whole", |it| it.of_all(it.whole)),
        row("200, degraded", |it| it.of_all(it.degraded)),
        row("202, promised", |it| it.of_all(it.deferred)),
        row("an error status", |it| it.of_all(it.errors)),
        row("no answer", |it| it.of_all(it.unanswered)),
        row("latency, median", |it| or_none(it.p50_seconds)),
        row("latency, 99th percentile", |it| or_none(it.p99_seconds)),
        row("latency, longest", |it| or_none(it.slowest_seconds)),
        row("peak arrivals at the worker", |it| {
            let peak = it.peak_arrivals.map(|peak| format!("{peak:.0}/s"));
            peak.unwrap_or_else(|| "unknown".to_owned())
        }),
        row("lost", |it| count(it.lost)),
        row("duplicates", |it| count(it.duplicates)),
    ];
    if naive.aside + resilient.aside > 0 {
        let aside = row("client left, or not sent", |it| it.of_all(it.aside));
        rows.insert(6, aside);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_call_is_counted_in_exactly_one_kind() {
        for trial in sample::both() {
            let it = Summary::of(&trial);
            let kinds = [
                it.whole,
                it.degraded,
                it.deferred,
                it.errors,
                it.unanswered,
                it.aside,
            ];
            assert_eq!(kinds.iter().sum::<usize>(), it.calls);
            assert!(it.calls > 0);
        }
    }

    #[test]
    fn a_hung_call_counts_with_the_time_its_client_waited() {
        let [naive, resilient] = sample::both();
        let p99 = Summary::of(&naive).p99_seconds.unwrap();
        assert!((p99 - sample::PATIENCE.as_secs_f64()).abs() < 0.01, "{p99}");
        assert!(Summary::of(&resilient).slowest_seconds.unwrap() < resilient.bound.as_secs_f64());
    }

    #[test]
    fn the_first_figures_are_of_the_calls_an_answer_was_wanted_for() {
        let [naive, resilient] = sample::both().map(|trial| Summary::of(&trial));
        let [promised, lost, _, in_time] = tiles(&naive, &resilient);
        assert_eq!(promised.resilient, "100\u{a0}%");
        assert_ne!(promised.naive, promised.resilient);
        assert_eq!(lost.resilient, "0");
        assert_eq!(in_time.resilient, "100\u{a0}%");
        assert!(naive.within_bound + naive.unanswered <= naive.calls);
    }

    #[test]
    fn calls_before_and_after_the_faults_do_not_soften_what_they_did() {
        let [naive, _] = sample::both();
        let (whole, during) = (Summary::of(&naive), Summary::during_faults(&naive));
        assert!(0 < during.calls && during.calls < whole.calls);
        assert_eq!(during.lost, whole.lost);
        let failed = |it: &Summary| it.unanswered + it.errors;
        assert!(failed(&during) * whole.calls > failed(&whole) * during.calls);
    }

    #[test]
    fn a_surge_is_not_among_the_first_figures() {
        let [naive, _] = sample::both();
        let mut surged = naive.clone();
        surged
            .calls
            .extend(naive.calls.iter().cloned().map(|call| Call {
                surge: true,
                ..call
            }));
        let during = |trial| Summary::during_faults(trial).calls;
        assert_eq!(during(&surged), during(&naive));
        assert_eq!(Summary::of(&surged).calls, 2 * naive.calls.len());
    }

    #[test]
    fn a_side_without_calls_has_no_latency() {
        let [mut naive, _] = sample::both();
        naive.calls.clear();
        assert_eq!(Summary::of(&naive).p99_seconds, None);
    }
}
