//! Arrivals at the worker, from samples of a counter.

use std::time::Duration;

use super::Unmeasured;
use super::calls::count;
use super::window::Spans;
use crate::trial::{Call, Completion, Trial};

/// How far a window may reach beyond the first and the last sample.
const REACH: Duration = Duration::from_secs(1);
const SECOND: Duration = Duration::from_secs(1);

/// Arrivals in the window for each call sent in it.
pub(super) fn per_call(spans: &Spans, trial: &Trial) -> Result<f64, Unmeasured> {
    let spans = spans.until(trial.lasts);
    let sent = |call: &&Call| call.end != Completion::NoFile && spans.contains(call.sent);
    let sent = trial.calls.iter().filter(sent).count();
    if sent == 0 {
        return Err(Unmeasured::NoCalls);
    }
    let series = Series::of(trial)?;
    let mut arrivals = 0.0;
    for (from, to) in spans.iter() {
        series.covers(from, to)?;
        arrivals += series.between(from, to);
    }
    Ok(arrivals / count(sent as u64))
}

/// The most within one second that lies in the window; of a shorter one, all that it has.
pub(super) fn peak(spans: &Spans, trial: &Trial) -> Result<f64, Unmeasured> {
    let series = Series::of(trial)?;
    let mut peak = 0.0_f64;
    for (from, to) in spans.until(series.last().max(trial.lasts)).iter() {
        series.covers(from, to)?;
        for start in series.starts(from, to.saturating_sub(SECOND).max(from)) {
            let end = start.saturating_add(SECOND).min(to);
            peak = peak.max(series.between(start, end));
        }
    }
    Ok(peak)
}

/// How many had arrived at which time: ascending in both, two points at least.
struct Series(Vec<(Duration, f64)>);

impl Series {
    fn of(trial: &Trial) -> Result<Self, Unmeasured> {
        let mut total = 0;
        let mut before = None;
        let mut points = Vec::new();
        for sample in &trial.samples {
            let Some(now) = sample.worker_arrivals else {
                continue;
            };
            // A worker that was started again counts from 0 again.
            let more = now.checked_sub(before.unwrap_or(now)).unwrap_or(now);
            before = Some(now);
            total += more;
            points.push((sample.at, count(total)));
        }
        match points.len() {
            0 | 1 => Err(Unmeasured::NoSamples),
            _ => Ok(Self(points)),
        }
    }

    fn first(&self) -> Duration {
        self.0.first().map_or(Duration::ZERO, |point| point.0)
    }

    fn last(&self) -> Duration {
        self.0.last().map_or(Duration::ZERO, |point| point.0)
    }

    fn covers(&self, from: Duration, to: Duration) -> Result<(), Unmeasured> {
        let covers =
            self.first() <= from.saturating_add(REACH) && to <= self.last().saturating_add(REACH);
        covers.then_some(()).ok_or(Unmeasured::NoSamples)
    }

    fn between(&self, from: Duration, to: Duration) -> f64 {
        self.at(to) - self.at(from)
    }

    /// So many had arrived by then; between two samples evenly.
    fn at(&self, time: Duration) -> f64 {
        let after = self.0.partition_point(|point| point.0 <= time);
        match (self.0.get(after.wrapping_sub(1)), self.0.get(after)) {
            (Some((t0, n0)), Some((t1, n1))) => {
                let (after, between) = ((time - *t0).as_secs_f64(), (*t1 - *t0).as_secs_f64());
                n0 + (n1 - n0) * after / between
            }
            (Some((_, number)), None) | (None, Some((_, number))) => *number,
            (None, None) => 0.0,
        }
    }

    /// Where the second with the most may start: the curve bends nowhere else than at its start or its end.
    fn starts(&self, from: Duration, to: Duration) -> impl Iterator<Item = Duration> {
        let points = self.0.iter().flat_map(|point| {
            let before = point.0.checked_sub(SECOND);
            [Some(point.0), before].into_iter().flatten()
        });
        let inside = points.filter(move |at| (from..=to).contains(at));
        inside.chain([from, to])
    }
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{TrialFixture, ms, s, whole};
    use crate::measure::{Unmeasured, measure};
    use crate::plan::Metric::{AttemptsPerCall, PeakArrivals};
    use crate::plan::{Target, Window};
    use crate::trial::Completion;

    /// A sample each second from 0 to 14; `rates`: arrivals in each second from 0 on, and none later.
    fn arriving(rates: &[u64]) -> TrialFixture {
        let mut scene = TrialFixture::resilient();
        let mut total = 0;
        for (at, arriving) in (0..=14).zip(rates.iter().chain([0; 15].iter())) {
            scene = scene.sample(s(at), Some(total));
            total += arriving;
        }
        scene
    }

    const RATES: [u64; 12] = [10, 10, 10, 12, 12, 12, 12, 12, 40, 8, 8, 8];

    fn per_call(scene: &TrialFixture, window: Window) -> Result<f64, Unmeasured> {
        measure(AttemptsPerCall, window, &scene.trial)
    }

    fn peak(scene: &TrialFixture, window: Window) -> Result<f64, Unmeasured> {
        measure(PeakArrivals, window, &scene.trial)
    }

    #[test]
    fn attempts_are_arrivals_in_the_window_for_each_call_sent_in_it() {
        let mut scene = arriving(&RATES).call(s(1), ms(200), whole());
        for at in 0..30 {
            scene = scene.call(ms(3100 + 100 * at), ms(200), whole());
        }
        assert_eq!(per_call(&scene, Window::Fault), Ok(2.0));
        assert_eq!(per_call(&scene, Window::All), Ok(154.0 / 31.0));
        assert_eq!(per_call(&scene, Window::After), Err(Unmeasured::NoCalls));
    }

    #[test]
    fn who_left_was_sent_and_who_got_no_file_was_not() {
        let scene = arriving(&RATES).call(s(4), ms(100), Completion::Left).call(
            s(5),
            ms(100),
            Completion::NoFile,
        );
        assert_eq!(per_call(&scene, Window::Fault), Ok(60.0));
    }

    #[test]
    fn two_faults_are_added_up_without_the_time_between_them() {
        let mut scene = arriving(&RATES).call(s(1), ms(200), whole());
        scene.trial.faults.clear();
        let scene = scene
            .fault(Target::Worker, s(1), s(2))
            .fault(Target::Worker, s(8), s(9));
        assert_eq!(per_call(&scene, Window::Fault), Ok(50.0));
    }

    #[test]
    fn arrivals_lie_evenly_between_two_samples_also_where_one_could_not_tell() {
        let mut scene = TrialFixture::resilient().call(s(4), ms(200), whole());
        scene = scene.sample(s(0), Some(0)).sample(s(2), None);
        scene = scene.sample(s(10), Some(100)).sample(s(14), Some(100));
        assert_eq!(per_call(&scene, Window::Fault), Ok(50.0));
    }

    #[test]
    fn a_worker_that_counts_from_nothing_again_has_lost_no_arrival() {
        let mut scene = TrialFixture::resilient().call(s(4), ms(200), whole());
        for (at, arrivals) in [(0, 500), (3, 600), (8, 30), (14, 30)] {
            scene = scene.sample(s(at), Some(arrivals));
        }
        assert_eq!(per_call(&scene, Window::Fault), Ok(30.0));
    }

    #[test]
    fn without_samples_from_end_to_end_there_is_no_figure() {
        let call = || TrialFixture::resilient().call(s(4), ms(200), whole());
        let none = call().sample(s(0), None).sample(s(14), Some(1));
        let late = call().sample(ms(4001), Some(0)).sample(s(14), Some(1));
        let short = call().sample(s(0), Some(0)).sample(ms(6999), Some(1));
        for scene in [none, late, short] {
            for found in [per_call(&scene, Window::Fault), peak(&scene, Window::Fault)] {
                assert_eq!(found, Err(Unmeasured::NoSamples));
            }
        }
        let enough = call().sample(s(4), Some(0)).sample(s(7), Some(1));
        assert!(per_call(&enough, Window::Fault).is_ok());
    }

    #[test]
    fn the_peak_is_the_most_within_a_second_that_lies_in_the_window() {
        let scene = arriving(&RATES);
        assert_eq!(peak(&scene, Window::Fault), Ok(12.0));
        assert_eq!(peak(&scene, Window::After), Ok(40.0));
        assert_eq!(peak(&scene, Window::All), Ok(40.0));
    }

    #[test]
    fn the_second_with_the_most_need_not_start_at_a_sample() {
        let mut scene = TrialFixture::resilient();
        for (at, arrivals) in [(0, 0), (8500, 0), (8700, 10), (9300, 40), (14000, 40)] {
            scene = scene.sample(ms(at), Some(arrivals));
        }
        assert_eq!(peak(&scene, Window::After), Ok(40.0));
        let mut rising = TrialFixture::resilient();
        for (at, arrivals) in [(0, 0), (8600, 0), (9000, 30), (10100, 41), (14000, 41)] {
            rising = rising.sample(ms(at), Some(arrivals));
        }
        // From 8.6 s on: 30, and six of the eleven that come evenly from 9 s to 10.1 s.
        assert!((peak(&rising, Window::After).unwrap() - 36.0).abs() < 1e-9);
    }

    #[test]
    fn of_a_window_shorter_than_a_second_the_peak_is_all_that_it_has() {
        let mut scene = arriving(&RATES);
        scene.trial.faults[0].to = ms(3500);
        assert_eq!(peak(&scene, Window::Fault), Ok(6.0));
    }

    #[test]
    fn a_stampede_after_the_load_counts() {
        let scene = arriving(&RATES)
            .sample(s(16), Some(154))
            .sample(s(17), Some(254));
        assert_eq!(peak(&scene, Window::After), Ok(100.0));
        let scene = scene.call(s(9), ms(200), whole());
        assert_eq!(per_call(&scene, Window::After), Ok(64.0));
    }
}
