//! Makes a plan that fails shorter, as long as it still fails.

use crate::mutant::Mutant;
use crate::plan::Plan;
use crate::run::play;

/// Runs it may take.
const MAX_RUNS: u32 = 200;

/// A plan that breaks the same property with as few faults and calls as are found.
pub(crate) fn shrink(plan: &Plan, mutant: Mutant, property: &str) -> Plan {
    let mut runs = 0;
    let mut still_fails = |plan: &Plan| {
        if runs == MAX_RUNS {
            return false;
        }
        runs += 1;
        let report = play(plan, mutant, None).ok();
        let violation = report.and_then(|report| report.violation);
        violation.is_some_and(|it| it.property == property)
    };
    let mut shortest = plan.clone();
    shorten(&mut shortest, |plan| &mut plan.faults, &mut still_fails);
    shorten(&mut shortest, |plan| &mut plan.calls, &mut still_fails);
    shortest
}

/// Leaves out halves, then quarters, down to single ones.
fn shorten<T: Clone>(
    plan: &mut Plan,
    part: impl Fn(&mut Plan) -> &mut Vec<T>,
    still_fails: &mut impl FnMut(&Plan) -> bool,
) {
    let mut size = part(plan).len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < part(plan).len() {
            let mut without = plan.clone();
            let items = part(&mut without);
            items.drain(at..(at + size).min(items.len()));
            if still_fails(&without) {
                *plan = without;
            } else {
                at += size;
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
}
