//! Figures that are of calls.

use super::window::Spans;
use super::{GRACE, Unmeasured};
use crate::figures::percentile;
use crate::plan::Metric;
use crate::trial::{Call, Completion, Trial};

/// The calls of a window that say something of the system: one at least. A surge's are among them if they count.
pub(super) fn within<'a>(
    metric: Metric,
    spans: &Spans,
    trial: &'a Trial,
) -> Result<Vec<&'a Call>, Unmeasured> {
    let calls = trial.calls.iter().filter(|call| counts(metric, call));
    let calls: Vec<&Call> = calls.filter(|call| spans.contains(call.intended)).collect();
    match calls.is_empty() {
        true => Err(Unmeasured::NoCalls),
        false => Ok(calls),
    }
}

/// Whether a figure is of such a call: who left and what was not sent say nothing, and a surge is somebody else's.
pub(super) fn counts(metric: Metric, call: &Call) -> bool {
    let of_surges = matches!(metric, Metric::Successes | Metric::OverBound);
    call.is_telling() && (!call.surge || of_surges)
}

/// Which calls the number, the share or the rate is of; none: the figure is none of these.
pub(super) fn counted(metric: Metric) -> Option<fn(&Call, &Trial) -> bool> {
    Some(match metric {
        Metric::Unanswered | Metric::UnansweredShare => |call, _| {
            let ends = [Completion::GivenUp, Completion::Refused, Completion::Reset];
            ends.contains(&call.end)
        },
        Metric::ErrorShare => |call, _| call.status().is_some_and(|status| status >= 500),
        Metric::SuccessShare | Metric::Successes => |call, _| is_success(call),
        Metric::DegradedShare => |call, _| {
            let answer = call.end.answer();
            answer.is_some_and(|it| it.is_promise() && !it.degraded.is_empty())
        },
        Metric::PromisedShare | Metric::Goodput => |call, _| call.is_promised(),
        Metric::OverBound => |call, trial| {
            call.end == Completion::GivenUp || call.latency() > trial.bound.saturating_add(GRACE)
        },
        _ => return None,
    })
}

/// The client has the worker's result.
pub(super) fn is_success(call: &Call) -> bool {
    let answer = call.end.answer();
    answer.is_some_and(|it| it.status == 200 && it.has_result)
}

/// The time that this share of the calls does not exceed, in seconds.
pub(super) fn latency(calls: &[&Call], share: f64) -> f64 {
    let latencies = calls.iter().map(|call| call.latency().as_secs_f64());
    let mut latencies: Vec<f64> = latencies.collect();
    latencies.sort_by(f64::total_cmp);
    percentile(&latencies, share)
}

pub(super) fn number(calls: &[&Call], holds: impl Fn(&Call) -> bool) -> f64 {
    count(calls.iter().filter(|call| holds(call)).count() as u64)
}

pub(super) fn share(calls: &[&Call], holds: impl Fn(&Call) -> bool) -> f64 {
    number(calls, holds) / count(calls.len() as u64)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{TrialFixture, answered, end, ms, recorded_in, s, whole, without_worker};
    use crate::measure::{Unmeasured, measure};
    use crate::plan::Metric::{self, *};
    use crate::plan::Window::{self, After, All, Fault};
    use crate::trial::{Completion, Trial};

    /// Four calls during the fault: whole, degraded, 500, given up; one before and one after, whole.
    fn mixed() -> TrialFixture {
        TrialFixture::resilient()
            .call(ms(1000), ms(200), whole())
            .call(ms(3000), ms(200), whole())
            .call(ms(4000), ms(700), without_worker())
            .call(ms(4500), ms(100), answered(500))
            .call(ms(5000), s(5), Completion::GivenUp)
            .call(ms(9000), ms(300), whole())
    }

    fn during(scene: &TrialFixture, metric: Metric) -> Option<f64> {
        value(metric, Fault, &scene.trial)
    }

    fn value(metric: Metric, window: Window, trial: &Trial) -> Option<f64> {
        measure(metric, window, trial).ok()
    }

    #[test]
    fn shares_are_of_the_calls_meant_to_be_sent_in_the_window() {
        let scene = mixed();
        for (metric, expected) in [
            (Unanswered, 1.0),
            (UnansweredShare, 0.25),
            (ErrorShare, 0.25),
            (SuccessShare, 0.25),
            (DegradedShare, 0.25),
            (PromisedShare, 0.5),
        ] {
            assert_eq!(during(&scene, metric), Some(expected), "{metric}");
        }
        assert_eq!(value(SuccessShare, After, &scene.trial), Some(1.0));
        assert_eq!(value(SuccessShare, All, &scene.trial), Some(0.5));
    }

    #[test]
    fn refused_and_reset_are_unanswered_too() {
        let scene = mixed().call(ms(5100), ms(1), Completion::Refused).call(
            ms(5200),
            ms(1),
            Completion::Reset,
        );
        assert_eq!(during(&scene, Unanswered), Some(3.0));
    }

    #[test]
    fn who_left_and_who_was_never_sent_count_nowhere() {
        let scene = mixed().call(ms(5100), ms(100), Completion::Left).call(
            ms(5200),
            s(9),
            Completion::NoFile,
        );
        for metric in Metric::ALL.iter().copied().filter(|metric| {
            metric.has_window() && ![AttemptsPerCall, PeakArrivals].contains(metric)
        }) {
            assert_eq!(during(&scene, metric), during(&mixed(), metric), "{metric}");
        }
    }

    #[test]
    fn a_result_without_a_record_is_a_success_and_a_200_without_a_result_is_none() {
        let degraded = TrialFixture::resilient().call(s(4), ms(200), end(200, false, None, None));
        assert_eq!(during(&degraded, SuccessShare), Some(0.0));
        let kept = TrialFixture::resilient().call(s(4), ms(200), recorded_in("database"));
        assert_eq!(during(&kept, SuccessShare), Some(1.0));
        assert_eq!(during(&kept, DegradedShare), Some(1.0));
    }

    #[test]
    fn an_error_is_500_or_above_and_a_degraded_503_is_no_degraded_answer() {
        let refused = end(503, false, Some("db_unavailable:circuit_open"), None);
        let scene =
            TrialFixture::resilient()
                .call(s(4), ms(2), refused)
                .call(s(5), ms(2), answered(422));
        assert_eq!(during(&scene, ErrorShare), Some(0.5));
        assert_eq!(during(&scene, DegradedShare), Some(0.0));
        assert_eq!(during(&scene, PromisedShare), Some(0.0));
    }

    #[test]
    fn a_call_without_an_answer_counts_with_the_time_it_waited() {
        assert_eq!(during(&mixed(), P99), Some(5.0));
        assert_eq!(during(&mixed(), P50), Some(0.2));
    }

    #[test]
    fn latency_begins_where_the_call_was_meant_to_be_sent() {
        let mut scene = TrialFixture::resilient().call(s(4), s(3), whole());
        scene.trial.calls[0].sent = s(6);
        assert_eq!(during(&scene, P50), Some(3.0));
    }

    #[test]
    fn goodput_is_promises_by_the_length_of_the_window_as_far_as_load_arrived() {
        let scene = mixed();
        assert_eq!(during(&scene, Goodput), Some(2.0 / 5.0));
        assert_eq!(value(Goodput, After, &scene.trial), Some(1.0 / 6.0));
        assert_eq!(value(Goodput, All, &scene.trial), Some(4.0 / 14.0));
    }

    #[test]
    fn a_surge_counts_in_successes_and_over_the_bound_and_nowhere_else() {
        let mut scene = mixed().call(ms(5200), ms(200), whole());
        let usual = during(&scene, Successes).unwrap();
        let last = scene.trial.calls.len() - 1;
        scene.trial.calls[last].surge = true;
        assert_eq!(during(&scene, Successes), Some(usual));
        assert_eq!(usual, 2.0 / 5.0);
        for metric in [SuccessShare, PromisedShare, Goodput, P50] {
            assert_eq!(during(&scene, metric), during(&mixed(), metric), "{metric}");
        }
    }

    #[test]
    fn over_the_bound_is_later_than_the_bound_and_its_grace_or_given_up() {
        let over = |latency, end| {
            let scene = TrialFixture::resilient().call(s(4), latency, end);
            during(&scene, OverBound)
        };
        assert_eq!(over(ms(3300), whole()), Some(0.0));
        assert_eq!(over(ms(3301), whole()), Some(1.0));
        assert_eq!(over(ms(2000), Completion::GivenUp), Some(1.0));
        assert_eq!(over(ms(1), Completion::Refused), Some(0.0));
        assert_eq!(over(ms(3000), Completion::Reset), Some(0.0));
        assert_eq!(over(ms(3301), Completion::Reset), Some(1.0));
    }

    #[test]
    fn a_window_without_calls_has_no_figure() {
        let scene = TrialFixture::resilient().call(s(1), ms(200), whole());
        for metric in [Unanswered, SuccessShare, P99, OverBound, Goodput, Harmed] {
            let found = measure(metric, Fault, &scene.trial);
            assert_eq!(found, Err(Unmeasured::NoCalls), "{metric}");
        }
    }

    #[test]
    fn what_was_lost_and_what_is_there_twice_is_what_postgres_says() {
        let mut trial = TrialFixture::resilient().trial;
        trial.durability.lost = 3;
        trial.durability.duplicates = 2;
        assert_eq!(value(Lost, Fault, &trial), Some(3.0));
        assert_eq!(value(Duplicates, Fault, &trial), Some(2.0));
    }
}
