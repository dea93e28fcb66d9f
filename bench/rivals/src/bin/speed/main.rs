//! What a policed call costs, beside the rivals, measured in one run.
//!
//! All cases take turns, round by round, so that a disturbance of the machine hits all alike; the medians count, and of
//! them only the ratios. The service behind every policy answers at once, so what is measured is the policy.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]
#![allow(clippy::expect_used, reason = "what cannot be set up measures nothing")]

mod measure;
mod ours;
mod report;
mod rivals;
mod window;

use std::process::ExitCode;

use measure::Case;

/// Calls per measurement: long enough for the clock, short enough for many rounds.
const CALLS: u32 = 100_000;
const DEFAULT_ROUNDS: usize = 15;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let rounds = match arguments.next().map(|text| text.parse()) {
        None => DEFAULT_ROUNDS,
        Some(Ok(rounds)) if rounds > 0 => rounds,
        Some(_) => {
            println!(
                "usage: speed [ROUNDS [CASE]]   1 round or more [{DEFAULT_ROUNDS}]; one case, by its name"
            );
            return ExitCode::from(2);
        }
    };
    let wanted = arguments.next();
    let mut cases: Vec<Case> = Vec::new();
    cases.extend(rivals::cases());
    cases.extend(ours::cases());
    cases.extend(window::cases());
    cases.retain(|case| wanted.as_deref().is_none_or(|name| name == case.name));
    let medians = measure::medians(&mut cases, rounds);
    report::print(&medians, ours::stack_allocations());
    ExitCode::SUCCESS
}
