//! `lab list`: which experiments there are, what each asks, and how it came out last.

use super::super::find;
use super::super::results::Results;
use crate::error::ExperimentError;
use crate::output::{Console, Tone};
use crate::settings::Settings;

/// Prints the list.
pub fn list(settings: &Settings, console: Console) -> Result<(), ExperimentError> {
    let found = find::experiments(None, &settings.root)?;
    let runs = Results::of(settings).all().runs;
    for one in found {
        let experiment = one.experiment;
        // Newest first.
        let last = runs.iter().find(|run| run.about.name == experiment.name);
        let (tone, word) = match last.map(|run| &run.verdict) {
            Some(verdict) if verdict.passed() => (Tone::Good, "passed"),
            Some(verdict) if verdict.broke_off() => (Tone::Faint, "broke off"),
            Some(verdict) if verdict.stands() => (Tone::Warning, "unknown"),
            Some(_) => (Tone::Bad, "deviated"),
            None => (Tone::Faint, "not played"),
        };
        let word = console.paint(tone, format!("{word:<10}"));
        let name = console.paint(Tone::Strong, format!("{:<20}", experiment.name));
        let stages: Vec<&str> = experiment.stages.iter().map(|stage| stage.name()).collect();
        console.print(format_args!("{name} {word} {}", stages.join(", ")));
        console.print(format_args!("  {}", experiment.question));
    }
    Ok(())
}
