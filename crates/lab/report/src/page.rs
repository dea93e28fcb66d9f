//! One run as a page: verdict first, then why to believe it.

pub(super) mod judged;

use std::time::Duration;

use askama::Template;

use self::judged::{Group, groups, sentence, word};
use super::plots::{self, Axis, Figure};
use super::summary::{Row, Summary, rows, tiles};
use super::words::{count, seconds, tied};
use super::{Facts, Repeat, Report};
use holdfast_checker::arrivals::Arrivals;
use holdfast_checker::plan::{Experiment, Load};
use holdfast_checker::trial::{Durability, FaultWindow, Generator, Observation, Trial};
use holdfast_checker::verdict::Verdict;

/// How long the worker of the course works.
const COURSE_DELAY: Duration = Duration::from_secs(2);

#[derive(Template)]
#[template(path = "run.html")]
struct Page<'a> {
    experiment: &'a Experiment,
    facts: &'a Facts,
    repeats: &'a [Repeat],
    verdict: &'a Verdict,
    word: &'static str,
    sentence: String,
    both: [&'a Trial; 2],
    groups: Vec<Group<'a>>,
    tiles: [Row; 4],
    rows: Vec<Row>,
    figures: Vec<Figure>,
    durability: Vec<Row>,
    started: String,
    load: String,
    delays: String,
}

/// The run's page, a file by itself.
pub fn html(report: &Report<'_>) -> Result<String, askama::Error> {
    let Report {
        experiment,
        naive,
        resilient,
        verdict,
        facts,
        repeats,
    } = *report;
    let both = [naive, resilient];
    let (sums, broken) = (both.map(Summary::of), both.map(Summary::during_faults));
    let page = Page {
        experiment,
        facts,
        repeats,
        verdict,
        word: word(verdict.finding()),
        sentence: sentence(verdict),
        both,
        groups: groups(verdict),
        tiles: tiles(&broken[0], &broken[1]),
        rows: rows(&sums[0], &sums[1]),
        figures: figures(naive, resilient),
        durability: durability(&naive.durability, &resilient.durability),
        started: facts.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        load: load(&experiment.load),
        delays: delays(experiment.system.work_delay),
    };
    page.render()
}

fn figures(naive: &Trial, resilient: &Trial) -> Vec<Figure> {
    let axis = Axis::of([naive, resilient]);
    let mut figures = vec![
        plots::latency(naive, resilient, axis),
        plots::load(naive, resilient, axis),
        plots::breakers(resilient, axis),
        plots::arrivals(naive, resilient, axis),
    ];
    figures.extend(plots::owed(resilient, axis));
    plots::numbered(figures)
}

fn when(fault: &FaultWindow) -> String {
    let (from, to) = (fault.from.as_secs_f64(), fault.to.as_secs_f64());
    format!("{from:.2}\u{a0}to {to:.2}\u{a0}s")
}

fn observation(observation: &Observation) -> String {
    let mark = if observation.holds {
        "\u{2713}"
    } else {
        "\u{2717} not as it should be:"
    };
    format!("{mark} {}", tied(&observation.seen))
}

fn durability(naive: &Durability, resilient: &Durability) -> Vec<Row> {
    let row = |name, part: fn(&Durability) -> u64| Row {
        name,
        naive: count(part(naive)),
        resilient: count(part(resilient)),
    };
    vec![
        row("promised to clients", |it| it.promised),
        row("done", |it| it.done),
        row("lost", |it| it.lost),
        row("duplicates", |it| it.duplicates),
        row("given up as failed", |it| it.failed),
    ]
}

fn load(load: &Load) -> String {
    let arrivals = match load.arrivals {
        Arrivals::Poisson => "at random (Poisson)",
        Arrivals::Constant => "at equal distances",
    };
    let mut words = format!(
        "{} calls per second for {}, {arrivals}, sent whether or not earlier ones were answered; clients wait up to {}",
        load.rate,
        seconds(load.lasts.as_secs_f64()),
        seconds(load.patience.as_secs_f64()),
    );
    if let Some(leaving) = load.leaving {
        let share = leaving.share * 100.0;
        let after = seconds(leaving.after.as_secs_f64());
        words += &format!("; {share:.0} % of them leave after {after}");
    }
    words
}

fn delays(work: Duration) -> String {
    let delay = seconds(work.as_secs_f64());
    if work == COURSE_DELAY {
        return format!("works {delay} on a call, as in the course");
    }
    format!(
        "works {delay} on a call. Delays scaled: in the course it is {}, and deadlines, timeouts and windows of the \
         policies are scaled with it.",
        seconds(COURSE_DELAY.as_secs_f64())
    )
}

fn cost(generator: &Generator) -> String {
    format!(
        "{:.0} \u{b5}s of processor time for each request; sent {:.1} ms late at the 99th percentile, {:.1} ms at most; \
         up to {} calls under way at once",
        generator.cpu_us_per_request,
        generator.late_p99_ms,
        generator.late_max_ms,
        count(generator.most_under_way),
    )
}

#[cfg(test)]
mod tests;
