//! What a run shows: its page, its place in the index, its summary on the terminal.

use std::fs;

use super::super::find;
use super::super::measure;
use super::super::plan::{Experiment, Metric, Side, Window};
use super::super::report::{self, Facts, Listed, Others, Repeat, Report, Summary};
use super::super::results::{Machine, Results, Run, Source, json, replace};
use super::super::statistics::{self, magnitude};
use super::super::trial::Trial;
use super::super::verdict::{Finding, figure};
use super::combine;
use crate::error::ExperimentError;
use crate::output::{Console, Tone};
use crate::settings::Settings;

const PAGE: &str = "report.html";
const INDEX: &str = "index.html";
/// What the index shows of a run, so that the index need not read all runs' journals.
const LISTED: &str = "listed.json";

/// Adds the run's page to it, and the run to the index; shows its summary where there is a console.
pub(super) fn publish(
    experiment: &Experiment,
    trials: &[Trial],
    mut run: Run,
    settings: &Settings,
    console: Option<Console>,
) -> Result<Run, ExperimentError> {
    let Some([naive, resilient]) = combine::telling(experiment, trials) else {
        return Ok(run);
    };
    let (facts, repeats) = (facts(&run), repeats(experiment, trials));
    let verdict = run.verdict.clone();
    let report = Report {
        experiment,
        naive,
        resilient,
        verdict: &verdict,
        facts: &facts,
        repeats: &repeats,
    };
    run.put_page(PAGE, report::html(&report).map_err(bad_page)?.as_bytes())?;
    let listed = json(LISTED, &listed(&report, &run))?;
    run.put_page(LISTED, &listed)?;
    let index = write_index(settings)?;
    if let Some(console) = console {
        for line in report::text(&report, console) {
            console.print(line);
        }
        let page = run.folder.join(PAGE);
        let line = format!("  report: {}\n  all:    {index}\n", page.display());
        console.print(console.paint(Tone::Faint, line));
    }
    Ok(run)
}

/// `lab report`: the index anew, and where it is.
pub fn report(settings: &Settings, console: Console) -> Result<(), ExperimentError> {
    let results = Results::of(settings);
    let listing = results.all();
    for broken in &listing.broken {
        console.say(format_args!("  left out: {broken}"));
    }
    if listing.runs.is_empty() {
        let problem = "there are no results yet; play an experiment first: make experiments";
        return Err(ExperimentError::Experiment(problem.to_owned()));
    }
    console.print(write_index(settings)?);
    Ok(())
}

/// Writes the page over all experiments anew, the unplayed too, with what ablations have left; where it is.
fn write_index(settings: &Settings) -> Result<String, ExperimentError> {
    let results = Results::of(settings);
    let listed = |run: &Run| -> Option<Listed> {
        serde_json::from_slice(&fs::read(run.folder.join(LISTED)).ok()?).ok()
    };
    let listed: Vec<Listed> = results.all().runs.iter().filter_map(listed).collect();
    // A file that cannot be read is told of by whoever plays it.
    let unplayed = find::experiments(None, &settings.root).unwrap_or_default();
    let unplayed = unplayed.into_iter().map(|found| found.experiment);
    let unplayed = unplayed.filter(|it| listed.iter().all(|run| run.name != it.name));
    let others = Others {
        unplayed: unplayed.collect(),
        ablations: results.ablations(),
    };
    let page = report::index(&listed, &others).map_err(bad_page)?;
    replace(&results.folder, INDEX, page.as_bytes())?;
    Ok(results.folder.join(INDEX).display().to_string())
}

fn listed(report: &Report<'_>, run: &Run) -> Listed {
    let verdict = report.verdict;
    Listed {
        name: report.experiment.name.clone(),
        run: report.facts.run.clone(),
        title: report.experiment.title.clone(),
        question: report.experiment.question.clone(),
        started: report.facts.started,
        stage: report.facts.stage.name().to_owned(),
        href: format!("{}/{PAGE}", run.id()),
        checks: verdict.checks.len(),
        holding: verdict.count(Finding::Held),
        unknown: verdict.count(Finding::Unknown),
        naive: Summary::of(report.naive),
        resilient: Summary::of(report.resilient),
    }
}

fn facts(run: &Run) -> Facts {
    let about = &run.about;
    let name = run.folder.file_name().unwrap_or_default();
    Facts {
        run: name.to_string_lossy().into_owned(),
        started: about.started,
        stage: about.stage,
        seed: about.seed,
        revision: match &about.source {
            Source::Git { revision, dirty } if *dirty => {
                format!("{revision}, with changes that are not committed")
            }
            Source::Git { revision, .. } => revision.clone(),
            Source::Unknown(why) => format!("unknown: {why}"),
        },
        machine: machine(&about.machine),
        policies: run.policies.clone(),
    }
}

fn machine(machine: &Machine) -> String {
    const GIB: u64 = 1024 * 1024 * 1024;
    let cores = machine.cores.map(|cores| format!("{cores} cores"));
    let memory = machine
        .memory_bytes
        .map(|bytes| format!("{} GiB", bytes.div_ceil(GIB)));
    let kernel = Some(machine.kernel.clone());
    let parts = [
        machine.os.clone(),
        machine.processor.clone(),
        cores,
        memory,
        kernel,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Each figure that the experiment asks for, over the trials; nothing where there was one of each side.
fn repeats(experiment: &Experiment, trials: &[Trial]) -> Vec<Repeat> {
    let of = |side: Side| trials.iter().filter(move |trial| trial.side == side);
    let pairs = of(Side::Naive).count();
    if pairs < 2 {
        return Vec::new();
    }
    let repeat = |(metric, window): (Metric, Window)| {
        // Trials without the figure are left out.
        let values = |side: Side| -> Vec<f64> {
            let measured = of(side).map(|trial| measure::measure(metric, window, trial));
            measured.flatten().collect()
        };
        let (naive, resilient) = (values(Side::Naive), values(Side::Resilient));
        let effect = statistics::effect(&naive, &resilient);
        let effect = effect.map(|it| format!("{} (delta {it:.2})", magnitude(it)));
        let words = |values: &[f64]| spread(metric, values, experiment.load.seed);
        Repeat {
            name: format!("{metric} ({window})"),
            trials: pairs,
            naive: words(&naive),
            resilient: words(&resilient),
            effect: effect.unwrap_or_else(|| "too few trials".to_owned()),
        }
    };
    statistics::asked(experiment)
        .into_iter()
        .map(repeat)
        .collect()
}

fn spread(metric: Metric, values: &[f64], seed: u64) -> String {
    let told = |value| figure(metric.unit(), value);
    let Some(median) = statistics::median(values) else {
        return "none".to_owned();
    };
    let interval = statistics::interval(values, seed);
    let interval = interval.map(|it| format!(" ({} to {})", told(it.low), told(it.high)));
    format!("{}{}", told(median), interval.unwrap_or_default())
}

fn bad_page(error: holdfast_report::Error) -> ExperimentError {
    ExperimentError::Experiment(format!("the report cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{plan, played};

    #[test]
    fn repeated_trials_are_compared_and_one_without_the_figure_is_left_out() {
        let ((naive, resilient), (other, mut bad)) = (played(), played());
        assert!(repeats(&plan(), &[naive.clone(), resilient.clone()]).is_empty());
        bad.calls.clear();
        let told = repeats(&plan(), &[naive, resilient, other, bad]);
        assert_eq!(told[0].name, "error_share (fault)");
        assert_eq!(
            (told[0].trials, &*told[0].naive),
            (2, "100 % (100 % to 100 %)")
        );
        assert_eq!(
            (&*told[0].resilient, &*told[0].effect),
            ("0 %", "too few trials")
        );
    }
}
