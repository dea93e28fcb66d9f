//! What the table claims of ours, row by row. On a paused clock, so that no busy machine can make
//! an answer late.

use holdfast_rivals::contenders::Holdfast;
use holdfast_rivals::probes::{Clock, PROBES, Probe, counting, half_open, stale, time};

fn ours_is_right(probe: &Probe) {
    let finding = probe.run(&Holdfast, Clock::Paused);
    let right = matches!(finding, Ok(Some(finding)) if probe.right.admits(finding));
    assert!(
        right,
        "{}: {finding:?}, right is {}",
        probe.question, probe.right
    );
}

#[test]
fn panics_of_the_operation_count_as_failures() {
    ours_is_right(&counting::PANIC);
}

#[test]
fn hung_calls_cut_by_their_callers_open_it() {
    ours_is_right(&counting::HUNG_CALLS);
}

#[test]
fn callers_who_give_up_early_are_not_charged_to_it() {
    ours_is_right(&counting::EARLY_CANCELS);
}

#[test]
fn slow_successes_open_it() {
    ours_is_right(&counting::SLOW_SUCCESSES);
}

#[test]
fn a_slow_probe_does_not_close_it() {
    ours_is_right(&half_open::SLOW_PROBE);
}

#[test]
fn successes_from_before_the_opening_do_not_close_it() {
    ours_is_right(&stale::SUCCESS);
}

#[test]
fn failures_from_before_the_opening_do_not_reopen_it() {
    ours_is_right(&stale::FAILURE);
}

#[test]
fn calls_from_before_the_outage_that_fail_after_it_do_not_open_it_again() {
    ours_is_right(&stale::FAILURES_AFTER_RECOVERY);
}

#[test]
fn failures_counted_before_the_outage_are_forgotten_after_it() {
    ours_is_right(&stale::COUNTED_BEFORE);
}

#[test]
fn of_many_callers_at_half_open_only_the_probe_reaches_the_dependency() {
    ours_is_right(&half_open::CALLERS_AT_ONCE);
}

#[test]
fn a_dropped_probe_does_not_wedge_it() {
    ours_is_right(&half_open::DROPPED_PROBE);
}

#[test]
fn a_slow_trickle_of_calls_does_not_wedge_it() {
    ours_is_right(&half_open::SLOW_TRICKLE);
}

#[test]
fn a_long_healthy_past_does_not_keep_it_closed() {
    ours_is_right(&counting::HEALTHY_PAST);
}

#[test]
fn rejections_of_the_bulkhead_are_not_charged_to_it() {
    ours_is_right(&counting::FULL_BULKHEAD);
}

#[test]
fn it_follows_a_paused_clock() {
    ours_is_right(&time::PAUSED_CLOCK);
}

#[test]
fn every_row_of_the_table_is_right() {
    PROBES.into_iter().for_each(ours_is_right);
}
