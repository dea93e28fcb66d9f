//! How long it took until a worker that was hurt was called no more, and until all were called again.

use std::time::Duration;

use super::Unmeasured;
use crate::plan::Target;
use crate::trial::{FaultWindow, Trial};

pub(super) fn to_eject(trial: &Trial) -> Result<f64, Unmeasured> {
    longest(trial, |fault, _| Ok(ejected(trial, fault)? - fault.from))
}

pub(super) fn to_readmit(trial: &Trial) -> Result<f64, Unmeasured> {
    longest(trial, |fault, next| {
        // Or a worker that nobody ejected would be back at once.
        ejected(trial, fault)?;
        let readmitted = first(trial, fault.to..next, |ejected| ejected == 0);
        let readmitted = readmitted.ok_or(Unmeasured::NeverReadmitted)?;
        Ok(readmitted - fault.to)
    })
}

fn ejected(trial: &Trial, fault: &FaultWindow) -> Result<Duration, Unmeasured> {
    let ejected = first(trial, fault.from..fault.to, |ejected| ejected > 0);
    ejected.ok_or(Unmeasured::NeverEjected)
}

/// Of each fault, given when the next one begins, or the trial ends.
fn longest(
    trial: &Trial,
    took: impl Fn(&FaultWindow, Duration) -> Result<Duration, Unmeasured>,
) -> Result<f64, Unmeasured> {
    let of_worker = |fault: &&FaultWindow| fault.target == Target::Worker;
    let mut faults: Vec<&FaultWindow> = trial.faults.iter().filter(of_worker).collect();
    faults.sort_by_key(|fault| fault.from);
    let next = faults.iter().skip(1).map(|fault| fault.from);
    let next: Vec<Duration> = next.chain([Duration::MAX]).collect();
    let mut longest = Err(Unmeasured::NoFault);
    for (fault, next) in faults.into_iter().zip(next) {
        let took = took(fault, next)?.as_secs_f64();
        longest = Ok(longest.map_or(took, |longest: f64| longest.max(took)));
    }
    longest
}

fn first(
    trial: &Trial,
    within: std::ops::Range<Duration>,
    wanted: impl Fn(u64) -> bool,
) -> Option<Duration> {
    let mut samples = trial
        .samples
        .iter()
        .filter(|sample| within.contains(&sample.at));
    let found = samples.find(|sample| sample.ejected.is_some_and(&wanted));
    found.map(|sample| sample.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{TrialFixture, ms, s};
    use crate::trial::Sample;

    /// Faults from 3 to 8 s and from 12 to 16 s; a sample each half second, with one worker ejected from and to then.
    fn told(spans: &[(u64, u64)]) -> Trial {
        let mut trial = TrialFixture::resilient()
            .fault(Target::Worker, s(12), s(16))
            .trial;
        let sample = |half: u64| {
            let at = ms(half * 500);
            let ejected = spans
                .iter()
                .any(|(from, to)| (ms(*from)..ms(*to)).contains(&at));
            Sample {
                at,
                ejected: Some(u64::from(ejected)),
                ..Sample::default()
            }
        };
        trial.samples = (0..40).map(sample).collect();
        trial
    }

    #[test]
    fn the_longest_of_all_faults_counts() {
        let trial = told(&[(4000, 9000), (12_500, 18_000)]);
        assert_eq!(to_eject(&trial), Ok(1.0));
        assert_eq!(to_readmit(&trial), Ok(2.0));
    }

    #[test]
    fn one_fault_without_an_ejection_or_without_its_end_is_enough_to_fail() {
        let trial = told(&[(4000, 9000)]);
        assert_eq!(to_eject(&trial), Err(Unmeasured::NeverEjected));
        assert_eq!(to_readmit(&trial), Err(Unmeasured::NeverEjected));
        let trial = told(&[(4000, 18_000)]);
        assert_eq!(to_readmit(&trial), Err(Unmeasured::NeverReadmitted));
        let trial = told(&[(4000, 9000), (13_000, 30_000)]);
        assert_eq!(to_readmit(&trial), Err(Unmeasured::NeverReadmitted));
    }

    #[test]
    fn what_was_done_to_others_ejects_nobody() {
        let mut trial = told(&[(4000, 9000)]);
        trial.faults[1].target = Target::Database;
        assert_eq!(to_eject(&trial), Ok(1.0));
        assert_eq!(to_readmit(&trial), Ok(1.0));
    }

    #[test]
    fn without_a_fault_there_is_nothing_to_measure() {
        let mut trial = told(&[]);
        trial.faults.clear();
        assert_eq!(to_eject(&trial), Err(Unmeasured::NoFault));
    }
}
