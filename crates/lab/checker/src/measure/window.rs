//! The times a window is made of.

use std::time::Duration;

use super::Unmeasured;
use crate::plan::Window;
use crate::trial::Trial;

/// Times from the start of the load, ascending, apart from each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spans {
    spans: Vec<(Duration, Duration)>,
    /// Whether the beginning itself lies outside.
    open: bool,
}

impl Spans {
    /// Of the faults as they were observed. `after` and `all` have no end.
    pub(super) fn of(window: Window, trial: &Trial) -> Result<Self, Unmeasured> {
        let spans = match window {
            Window::Fault => union(trial),
            Window::After => vec![(last_end(trial)?, Duration::MAX)],
            Window::All => vec![(Duration::ZERO, Duration::MAX)],
        };
        match spans.is_empty() {
            true => Err(Unmeasured::NoFault),
            false => Ok(Self {
                spans,
                open: window == Window::After,
            }),
        }
    }

    /// As much of them as lies before `end`.
    pub(super) fn until(&self, end: Duration) -> Self {
        let cut = |(from, to): &(Duration, Duration)| (*from.min(&end), *to.min(&end));
        Self {
            spans: self.spans.iter().map(cut).collect(),
            open: self.open,
        }
    }

    pub(super) fn contains(&self, at: Duration) -> bool {
        let within = |(from, to): &(Duration, Duration)| {
            (*from < at || (*from == at && !self.open)) && at <= *to
        };
        self.spans.iter().any(within)
    }

    /// Of all together.
    pub(super) fn length(&self) -> Duration {
        self.spans.iter().map(|(from, to)| *to - *from).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Duration, Duration)> {
        self.spans.iter().copied()
    }
}

/// When the end of the last fault began.
pub(super) fn last_end(trial: &Trial) -> Result<Duration, Unmeasured> {
    let ends = trial.faults.iter().map(|fault| fault.to);
    ends.max().ok_or(Unmeasured::NoFault)
}

fn union(trial: &Trial) -> Vec<(Duration, Duration)> {
    let mut faults: Vec<_> = trial
        .faults
        .iter()
        .map(|fault| (fault.from, fault.to.max(fault.from)))
        .collect();
    faults.sort_unstable();
    let mut spans: Vec<(Duration, Duration)> = Vec::new();
    for (from, to) in faults {
        match spans.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => spans.push((from, to)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{TrialFixture, ms, s};
    use crate::plan::Target;

    fn spans(window: Window, faults: &[(u64, u64)]) -> Spans {
        let mut scene = TrialFixture::resilient();
        scene.trial.faults.clear();
        for (from, to) in faults {
            scene = scene.fault(Target::Worker, s(*from), s(*to));
        }
        Spans::of(window, &scene.trial).unwrap()
    }

    #[test]
    fn faults_that_overlap_or_touch_are_one_time_and_others_leave_a_gap() {
        let spans = spans(Window::Fault, &[(8, 9), (3, 5), (4, 6), (6, 7)]);
        assert_eq!(
            spans.iter().collect::<Vec<_>>(),
            [(s(3), s(7)), (s(8), s(9))]
        );
        assert_eq!(spans.length(), s(5));
    }

    #[test]
    fn the_fault_has_both_its_ends_and_not_what_lies_around_it() {
        let spans = spans(Window::Fault, &[(3, 5), (8, 9)]);
        for (at, inside) in [
            (2999, false),
            (3000, true),
            (5000, true),
            (5001, false),
            (8500, true),
        ] {
            assert_eq!(spans.contains(ms(at)), inside, "{at}");
        }
    }

    #[test]
    fn after_begins_later_than_the_last_end_whatever_the_order() {
        let spans = spans(Window::After, &[(3, 9), (4, 5)]);
        assert!(!spans.contains(s(9)) && spans.contains(ms(9001)));
        assert_eq!(spans.until(s(14)).length(), s(5));
    }

    #[test]
    fn all_begins_with_the_load() {
        let spans = spans(Window::All, &[]);
        assert!(spans.contains(Duration::ZERO));
        assert_eq!(spans.until(s(14)).length(), s(14));
    }

    #[test]
    fn without_a_fault_there_is_nothing_during_it_and_nothing_after() {
        let mut trial = TrialFixture::resilient().trial;
        trial.faults.clear();
        for window in [Window::Fault, Window::After] {
            assert_eq!(Spans::of(window, &trial), Err(Unmeasured::NoFault));
        }
    }
}
