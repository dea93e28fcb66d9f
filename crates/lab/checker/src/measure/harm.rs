//! Calls that went without what a dependency that was well could have given.

use super::Unmeasured;
use super::calls::{self, is_success};
use crate::plan::{Side, Target};
use crate::trial::{Call, Trial};

pub(super) fn share(calls: &[&Call], trial: &Trial) -> Result<f64, Unmeasured> {
    let hurt = |target| trial.faults.iter().any(|fault| fault.target == target);
    if hurt(Target::Api) || hurt(Target::Node) {
        return Err(Unmeasured::NothingWell);
    }
    let postgres = hurt(Target::Database) || hurt(Target::Standby);
    match (hurt(Target::Worker), postgres) {
        (false, true) => Ok(calls::share(calls, |call| !is_success(call))),
        (true, false) => Ok(calls::share(calls, |call| !is_recorded(call, trial.side))),
        (true, true) => Err(Unmeasured::NothingWell),
        (false, false) => Err(Unmeasured::NoFault),
    }
}

/// Whether its client knows of a record in the database.
fn is_recorded(call: &Call, side: Side) -> bool {
    call.end.answer().is_some_and(|answer| match side {
        Side::Naive => answer.status == 200,
        Side::Resilient | Side::Contender => answer.recorded_in.as_deref() == Some("database"),
    })
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{TrialFixture, answered, ms, recorded_in, s, whole, without_worker};
    use crate::measure::{Unmeasured, measure};
    use crate::plan::{Metric, Target, Window};
    use crate::trial::Completion;

    fn harmed(scene: TrialFixture, hurt: &[Target]) -> Result<f64, Unmeasured> {
        let mut scene = scene;
        scene.trial.faults.clear();
        for target in hurt {
            scene = scene.fault(*target, s(3), s(8));
        }
        measure(Metric::Harmed, Window::All, &scene.trial)
    }

    fn with(scene: TrialFixture, ends: [Completion; 2]) -> TrialFixture {
        let [first, second] = ends;
        scene.call(s(4), ms(200), first).call(s(5), ms(200), second)
    }

    #[test]
    fn while_the_database_is_down_who_gets_no_result_of_the_worker_is_harmed() {
        let scene = |end| with(TrialFixture::resilient(), [recorded_in("journal"), end]);
        assert_eq!(harmed(scene(whole()), &[Target::Database]), Ok(0.0));
        for end in [
            without_worker(),
            answered(500),
            Completion::GivenUp,
            Completion::Refused,
        ] {
            for postgres in [Target::Database, Target::Standby] {
                assert_eq!(harmed(scene(end.clone()), &[postgres]), Ok(0.5));
            }
        }
    }

    #[test]
    fn while_the_worker_is_down_who_is_not_recorded_in_the_database_is_harmed() {
        let scene = |end| with(TrialFixture::resilient(), [without_worker(), end]);
        assert_eq!(harmed(scene(whole()), &[Target::Worker]), Ok(0.0));
        for end in [recorded_in("journal"), answered(503), Completion::Reset] {
            assert_eq!(harmed(scene(end), &[Target::Worker]), Ok(0.5));
        }
    }

    #[test]
    fn the_naive_side_tells_of_a_record_by_200_alone() {
        let scene = with(TrialFixture::naive(), [answered(200), answered(500)]);
        assert_eq!(harmed(scene, &[Target::Worker]), Ok(0.5));
    }

    #[test]
    fn where_both_or_the_api_are_hurt_nobody_can_say() {
        let scene = || with(TrialFixture::resilient(), [whole(), whole()]);
        for hurt in [
            &[Target::Worker, Target::Database][..],
            &[Target::Api],
            &[Target::Api, Target::Worker],
        ] {
            assert_eq!(harmed(scene(), hurt), Err(Unmeasured::NothingWell));
        }
        assert_eq!(harmed(scene(), &[]), Err(Unmeasured::NoFault));
    }
}
