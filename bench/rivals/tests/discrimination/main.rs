//! Some questions every crate answers rightly. A breaker that does everything wrong shows that these
//! probes would find it out.

#[cfg(test)]
mod sham;

use holdfast_rivals::probes::{Clock, Finding, Probe, counting, half_open, stale};

fn is_found_out(probe: &Probe) {
    let finding = probe.run(&sham::Sham, Clock::Paused);
    let found_out = matches!(finding, Ok(Some(Finding::Yes)));
    assert!(found_out, "{}: {finding:?}", probe.question);
}

#[test]
fn who_charges_callers_that_give_up_early_is_found_out() {
    is_found_out(&counting::EARLY_CANCELS);
}

#[test]
fn who_remembers_failures_from_before_the_outage_is_found_out() {
    is_found_out(&stale::COUNTED_BEFORE);
}

#[test]
fn who_loses_the_place_of_a_dropped_probe_is_found_out() {
    is_found_out(&half_open::DROPPED_PROBE);
}
