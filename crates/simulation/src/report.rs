//! Plays seeds and writes down how that went.

use std::io::{self, Write};
use std::ops::Range;
use std::process::ExitCode;

use crate::mutant::Mutant;
use crate::plan::Plan;
use crate::run::{CannotRun, Report, play};
use crate::shrink::shrink;

/// What is to be played.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which seeds.
    pub seeds: Range<u64>,
    /// Whether the trace's hash is what is asked for.
    pub shows_one: bool,
    /// Which request's events are shown, beside those of one that shows a violation.
    pub request: Option<u64>,
    /// With which defect.
    pub mutant: Mutant,
}

/// Plays them and writes to `out`; fails where one broke a promise, and with 2 where none could be played.
pub fn simulate(options: &Options, out: &mut impl Write) -> ExitCode {
    match run(options, out) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            // Where even this cannot be written nobody reads it.
            let _ = writeln!(out, "{error}");
            ExitCode::from(2)
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    CannotRun(#[from] CannotRun),
    #[error("nothing can be written: {0}")]
    Output(#[from] io::Error),
}

fn run(options: &Options, out: &mut impl Write) -> Result<u64, Stopped> {
    let (mut passed, mut failed, mut calls, mut hash) = (0, 0, 0, 0);
    for seed in options.seeds.clone() {
        let plan = Plan::from_seed(seed);
        let report = play(&plan, options.mutant, options.request)?;
        calls += report.calls;
        hash = report.hash;
        if report.violation.is_some() {
            failed += 1;
            tell(out, &plan, &report, options.mutant)?;
        } else {
            passed += 1;
        }
    }
    if options.shows_one {
        write!(out, "{}", Plan::from_seed(options.seeds.start))?;
        writeln!(out, "{calls} calls\ntrace {hash:016x}")?;
    } else {
        writeln!(out, "{calls} calls of clients")?;
        writeln!(out, "{passed} passed, {failed} failed")?;
    }
    Ok(failed)
}

fn tell(out: &mut impl Write, plan: &Plan, report: &Report, mutant: Mutant) -> io::Result<()> {
    let Some(violation) = &report.violation else {
        return Ok(());
    };
    let (seed, at) = (plan.seed, violation.at);
    writeln!(
        out,
        "seed {seed} breaks `{}` at {at} µs: {}",
        violation.property, violation.what
    )?;
    for event in &report.evidence {
        writeln!(out, "  {event}")?;
    }
    let shortest = shrink(plan, mutant, violation.property);
    let (faults, calls) = (shortest.faults.len(), shortest.calls.len());
    writeln!(
        out,
        "a schedule of {faults} faults and {calls} calls that still breaks it:"
    )?;
    write!(out, "{shortest}")
}
