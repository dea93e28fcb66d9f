//! All runs on one page: the newest of each experiment with its figures, the earlier ones below it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::page::judged::word;
use super::summary::Summary;
use super::words::{count, seconds, share};
use holdfast_checker::verdict::Finding;

/// A run, as the index shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// The experiment's name.
    pub name: String,
    /// The run's name.
    pub run: String,
    /// The experiment's title.
    pub title: String,
    /// Its question.
    pub question: String,
    /// When it began.
    pub started: Timestamp,
    /// `compose` or `local`.
    pub stage: String,
    /// Where its page is, from the index: a relative path.
    pub href: String,
    /// How many checks there were.
    pub checks: usize,
    /// How many of them hold.
    pub holding: usize,
    /// How many of them could not be measured.
    #[serde(default)]
    pub unknown: usize,
    /// The naive side's figures.
    pub naive: Summary,
    /// The resilient side's figures.
    pub resilient: Summary,
}

/// An experiment that was never played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplayed {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its question.
    pub question: String,
}

/// What the index shows beside the runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// Experiments without a run.
    pub unplayed: Vec<Unplayed>,
    /// Where ablations' reports are, from the index: relative paths, the newest first.
    pub ablations: Vec<String>,
}

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    totals: String,
    experiments: Vec<Runs<'a>>,
    others: &'a Others,
}

/// All runs of an experiment.
struct Runs<'a> {
    newest: &'a Listed,
    sides: [SideRow; 2],
    earlier: Vec<&'a Listed>,
}

struct SideRow {
    name: &'static str,
    calls: String,
    promised: String,
    errors: String,
    unanswered: String,
    p99: String,
    lost: String,
}

/// The index page, a file by itself.
///
/// # Errors
///
/// If the template cannot be filled in.
pub fn index(runs: &[Listed], others: &Others) -> Result<String, askama::Error> {
    let mut by_name: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
    for run in runs {
        by_name.entry(&run.name).or_default().push(run);
    }
    let experiments: Vec<Runs<'_>> = by_name.into_values().filter_map(grouped).collect();
    let page = Page {
        totals: totals(&experiments, runs),
        experiments,
        others,
    };
    page.render()
}

impl Listed {
    fn passed(&self) -> bool {
        self.checks > 0 && self.checks == self.holding
    }

    fn word(&self) -> &'static str {
        word(match self.checks - self.holding {
            0 if self.checks > 0 => Finding::Held,
            some if some > 0 && some == self.unknown => Finding::Unknown,
            _ => Finding::Failed,
        })
    }

    fn when(&self) -> String {
        self.started.strftime("%Y-%m-%d %H:%M UTC").to_string()
    }

    fn checks_words(&self) -> String {
        format!("{} of {} checks hold", self.holding, self.checks)
    }
}

fn grouped(mut runs: Vec<&Listed>) -> Option<Runs<'_>> {
    runs.sort_by_key(|run| Reverse(run.started));
    let (newest, earlier) = runs.split_first()?;
    Some(Runs {
        newest,
        sides: [
            side_row("naive", &newest.naive),
            side_row("resilient", &newest.resilient),
        ],
        earlier: earlier.to_vec(),
    })
}

fn side_row(name: &'static str, side: &Summary) -> SideRow {
    SideRow {
        name,
        calls: count(side.calls),
        promised: share(side.promised(), side.wanted()),
        errors: count(side.errors),
        unanswered: count(side.unanswered),
        p99: side.p99_seconds.map_or_else(|| "none".to_owned(), seconds),
        lost: count(side.lost),
    }
}

fn totals(experiments: &[Runs<'_>], runs: &[Listed]) -> String {
    let passed = experiments.iter().filter(|it| it.newest.passed()).count();
    let calls: usize = runs
        .iter()
        .map(|run| run.naive.calls + run.resilient.calls)
        .sum();
    let lost: u64 = runs.iter().map(|run| run.resilient.lost).sum();
    format!(
        "{passed} of {} experiments passed when last played. In all {} runs with {} calls; lost on the resilient side: {}.",
        experiments.len(),
        runs.len(),
        count(calls),
        count(lost),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn runs() -> Vec<Listed> {
        let mut old = sample::listed("worker-paused", 1);
        old.holding -= 1;
        vec![
            old,
            sample::listed("worker-paused", 2),
            sample::listed("api-killed", 1),
        ]
    }

    #[test]
    fn the_newest_run_of_each_experiment_is_shown_and_the_earlier_ones_below_it() {
        let page = index(&runs(), &Others::default()).unwrap();
        let newest = page.find("worker-paused/run-2/report.html").unwrap();
        let earlier = page.find("worker-paused/run-1/report.html").unwrap();
        assert!(newest < earlier);
        assert!(
            page.contains("2 of 2 experiments passed when last played. In all 3 runs"),
            "{page}"
        );
        assert_eq!(page.matches("DEVIATED</span>").count(), 1);
    }

    #[test]
    fn it_loads_nothing_and_runs_nothing() {
        let page = index(&runs(), &Others::default()).unwrap();
        for forbidden in ["http:", "https:", "<script", "url(", "@import", "src="] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn hostile_words_stay_words() {
        let mut runs = runs();
        runs[0].title = "<img onerror=x>".to_owned();
        runs[1].title = "<img onerror=x>".to_owned();
        let page = index(&runs, &Others::default()).unwrap();
        assert!(!page.contains("<img"), "{page}");
    }

    #[test]
    fn without_runs_it_says_so() {
        let page = index(&[], &Others::default()).unwrap();
        assert!(page.contains("In all 0 runs"), "{page}");
    }

    #[test]
    fn what_was_never_played_and_what_ablations_left_is_listed_too() {
        let others = Others {
            unplayed: vec![Unplayed {
                name: "both-gone".to_owned(),
                title: "Both are gone".to_owned(),
                question: "And now?".to_owned(),
            }],
            ablations: vec!["ablations/one.md".to_owned()],
        };
        let page = index(&runs(), &others).unwrap();
        assert!(page.contains("make experiments EXPERIMENT=both-gone"));
        assert!(page.contains("href=\"ablations/one.md\""));
    }
}
