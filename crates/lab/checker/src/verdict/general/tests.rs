use super::super::tests::failing;
use crate::fixtures::{TrialFixture, answered, ms, plan, s, whole};
use crate::plan::{Kind, Side, Target};
use crate::schedule::with_surges;
use crate::trial::{Breach, Completion};

/// The one check that does not hold: side, name, what was seen.
fn only(checks: &[super::Check]) -> (Option<Side>, &str, &str) {
    let [check] = checks else {
        panic!("{checks:#?}")
    };
    (check.side, &check.name, &check.seen)
}

#[test]
fn an_experiment_that_breaks_nothing_is_vacuous_whatever_else_holds() {
    let failing = failing(|plan, naive, resilient| {
        plan.faults.clear();
        plan.naive.clear();
        plan.resilient.clear();
        for call in naive.calls.iter_mut().chain(&mut resilient.calls) {
            call.end = whole();
        }
    });
    let vacuous = (None, "something was broken", "vacuous: nothing was broken");
    assert_eq!(only(&failing), vacuous);
}

#[test]
fn a_fault_that_no_probe_saw_or_that_had_no_length_proves_nothing() {
    let unseen = failing(|_, naive, _| {
        naive.faults[0].live.holds = false;
        naive.faults[0].live.seen = "its port answers".to_owned();
    });
    let (naive, name) = (Some(Side::Naive), "worker kill at 3 s was live");
    let seen = "its port answers, from 3 s to 8 s";
    assert_eq!(only(&unseen), (naive, name, seen));
    let short = failing(|plan, naive, _| {
        plan.naive.clear();
        naive.faults[0].to = naive.faults[0].from;
    });
    assert_eq!(only(&short).1, name);
}

#[test]
fn a_fault_that_nobody_looked_for_was_neither_live_nor_healed() {
    let unseen = failing(|plan, naive, _| {
        let mut again = plan.faults[0].clone();
        again.at = s(9);
        plan.faults.push(again);
        let observed = naive.faults[0].clone();
        naive.faults.push(observed);
    });
    assert!(unseen.iter().all(|it| it.side == Some(Side::Resilient)));
    let names: Vec<_> = unseen.iter().map(|it| &*it.name).collect();
    assert_eq!(
        names,
        ["worker kill at 9 s was live", "worker kill at 9 s healed"]
    );
    let another = failing(|_, naive, _| naive.faults[0].target = Target::Database);
    assert_eq!(another.len(), 2);
    assert_eq!(another[0].seen, "nobody looked");
}

#[test]
fn a_fault_that_did_not_heal_fails_it() {
    let failing = failing(|_, _, resilient| resilient.faults[0].healed.holds = false);
    assert_eq!(only(&failing).1, "worker kill at 3 s healed");
}

#[test]
fn a_surge_was_live_if_all_its_calls_were_sent() {
    let mut plan = plan();
    plan.faults[0].kind = Kind::Surge {
        rate: 5.0,
        priority: None,
    };
    let meant: Vec<_> = with_surges(&plan.load, &plan.faults)
        .filter(|one| one.surge)
        .collect();
    let live = |sent: usize| {
        // A call of before, which is none of this surge's.
        let mut fixture = TrialFixture::resilient().call(s(2), ms(10), whole());
        for one in &meant[..sent] {
            fixture = fixture.call(one.at, ms(10), whole());
        }
        let calls = fixture.trial.calls.iter_mut();
        calls.for_each(|call| call.surge = true);
        super::faults(&plan, &fixture.trial).remove(0)
    };
    assert!(live(meant.len()).holds);
    let few = live(3);
    let told = "3 of its calls were sent";
    assert!(!few.holds && few.seen.starts_with(told), "{}", few.seen);
}

#[test]
fn each_side_must_be_well_before_the_first_fault() {
    for side in Side::BOTH {
        let failing = failing(|plan, naive, resilient| {
            plan.resilient.remove(0);
            let mut both = [naive, resilient].into_iter();
            let trial = both.find(|trial| trial.side == side).unwrap();
            trial.calls[5].end = answered(500);
        });
        let seen = "23 of 24 calls were answered whole";
        assert_eq!(only(&failing), (Some(side), "steady before", seen));
    }
}

#[test]
fn a_fault_may_bite_before_its_probe_sees_it() {
    let failing = failing(|_, naive, _| {
        naive.faults[0].from = ms(3400);
        // Meant to be sent at 2.4 s: it may have met the fault.
        naive.calls[24].end = answered(500);
    });
    assert!(failing.is_empty(), "{failing:#?}");
}

#[test]
fn only_the_resilient_side_must_be_well_at_the_end() {
    let naive = failing(|_, naive, _| naive.calls[135].end = answered(500));
    assert!(naive.is_empty());
    let resilient = failing(|plan, _, resilient| {
        plan.resilient.clear();
        resilient.calls[135].end = answered(500);
    });
    let seen = "14 of 15 calls were answered whole";
    assert_eq!(
        only(&resilient),
        (Some(Side::Resilient), "steady after", seen)
    );
}

#[test]
fn a_load_generator_that_is_late_or_could_not_send_a_call_makes_no_proof() {
    let late = failing(|_, naive, _| naive.generator.late_p99_ms = 100.0);
    assert_eq!(only(&late).1, "the load was punctual");
    assert!(failing(|_, naive, _| naive.generator.late_p99_ms = 99.9).is_empty());
    let unknown = failing(|_, naive, _| naive.generator.late_p99_ms = f64::NAN);
    assert_eq!(unknown.len(), 1);
    let unsent = failing(|_, _, resilient| resilient.calls[60].end = Completion::NoFile);
    let seen = "0.0 ms late, 1 unsent";
    let expected = (Some(Side::Resilient), "the load was punctual", seen);
    assert_eq!(only(&unsent), expected);
}

#[test]
fn an_answer_that_breaks_the_contract_fails_it_whatever_else_holds() {
    let failing = failing(|_, _, resilient| {
        resilient.breaches = Some(vec![Breach {
            number: 7,
            what: "202 with no Retry-After".to_owned(),
        }]);
    });
    let seen = "1 are amiss; call 7: 202 with no Retry-After";
    let name = "every answer keeps the contract";
    assert_eq!(only(&failing), (Some(Side::Resilient), name, seen));
}

#[test]
fn both_sides_must_have_met_the_same_arrivals() {
    let name = "both sides met the same arrivals";
    let missing = failing(|_, naive, _| drop(naive.calls.pop()));
    assert_eq!(only(&missing), (None, name, "139 and 140 calls"));
    let shifted = failing(|_, naive, _| naive.calls[7].intended = ms(701));
    let seen = "call 7 at 0.701 s and at 0.7 s";
    assert_eq!(only(&shifted), (None, name, seen));
    let none = failing(|_, naive, resilient| {
        naive.calls.clear();
        resilient.calls.clear();
    });
    assert!(none.iter().any(|check| check.name == name));
}
