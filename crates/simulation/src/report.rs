//! Plays seeds and writes down how that went.

use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use tokio::time::Instant;

use crate::map;
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

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// Nothing can be played.
    #[error(transparent)]
    CannotRun(#[from] CannotRun),
    /// Nobody takes it.
    #[error("nothing can be written: {0}")]
    Output(#[from] io::Error),
}

/// Puts each defect behind the ports and writes which seed shows it; whether some of the first `seeds` does for each.
///
/// # Errors
/// When nothing can be played, or written.
pub fn mutants(seeds: u64, out: &mut impl Write) -> Result<bool, Stopped> {
    let mut escaped = 0;
    for mutant in Mutant::all() {
        let mut found = None;
        for seed in 0..seeds {
            let report = play(&Plan::from_seed(seed), mutant, None)?;
            found = report.violation.map(|it| (seed, it.property));
            if found.is_some() {
                break;
            }
        }
        if let Some((seed, property)) = found {
            writeln!(out, "{mutant:?}: seed {seed} breaks `{property}`")?;
        } else {
            escaped += 1;
            writeln!(out, "{mutant:?}: not found in {seeds} seeds")?;
        }
        out.flush()?;
    }
    let found = Mutant::all().count() - escaped;
    writeln!(out, "{found} found, {escaped} escaped")?;
    Ok(escaped == 0)
}

/// Calls of [`speed`], one each virtual millisecond.
const STEADY: u64 = 100_000;

/// Writes how many calls one core plays in a second while nothing is broken.
///
/// # Errors
/// When nothing can be played, or written.
pub fn speed(out: &mut impl Write) -> Result<bool, Stopped> {
    let begun = Instant::now();
    let report = play(&Plan::steady(STEADY), Mutant::None, None)?;
    let (calls, seconds) = (report.calls, begun.elapsed().as_secs_f64());
    let speed = calls as f64 / seconds;
    writeln!(out, "{calls} calls in {seconds:.2} s: {speed:.0} a second")?;
    Ok(true)
}

/// Draws the map to `page` and says what is on it.
///
/// # Errors
/// When nothing can be played, or written.
pub fn map(page: &Path, out: &mut impl Write) -> Result<bool, Stopped> {
    let begun = Instant::now();
    let sheets = map::sweep()?;
    if let Some(folder) = page.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(page, map::page::html(&sheets))?;
    let calls: u64 = sheets.iter().map(|sheet| sheet.calls).sum();
    let seconds = begun.elapsed().as_secs_f64();
    write!(out, "{}", map::text::text(&sheets))?;
    let page = page.display();
    writeln!(out, "{calls} calls in {seconds:.1} s; the page is {page}")?;
    Ok(true)
}

/// Plays seeds and writes how that went; whether none broke a promise.
///
/// # Errors
/// When nothing can be played, or written.
pub fn simulate(options: &Options, out: &mut impl Write) -> Result<bool, Stopped> {
    let (mut passed, mut failed, mut calls, mut hash) = (0, 0, 0, 0);
    let begun = Instant::now();
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
        let seconds = begun.elapsed().as_secs_f64();
        let speed = calls as f64 / seconds;
        writeln!(
            out,
            "{calls} calls of clients in {seconds:.1} s: {speed:.0} a second"
        )?;
        writeln!(out, "{passed} passed, {failed} failed")?;
    }
    Ok(failed == 0)
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
