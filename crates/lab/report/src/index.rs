//! All runs on one page: the newest of each experiment with its figures, the earlier ones below it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::page::judged::word;
use super::summary::Summary;
use super::words::{count, or_none, share};
use holdfast_checker::plan::Experiment;
use holdfast_checker::verdict::Finding;

/// A run, as the index shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    pub name: String,
    pub run: String,
    pub title: String,
    pub question: String,
    pub started: Timestamp,
    pub stage: String,
    /// Where its page is, from the index: a relative path.
    pub href: String,
    pub checks: usize,
    pub holding: usize,
    /// How many of them could not be measured.
    #[serde(default)]
    pub unknown: usize,
    pub naive: Summary,
    pub resilient: Summary,
}

/// What the index shows beside the runs.
#[derive(Debug, Default)]
pub struct Others {
    pub unplayed: Vec<Experiment>,
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

struct Runs<'a> {
    newest: &'a Listed,
    /// Of each side its name, then its figures.
    sides: [[String; 7]; 2],
    earlier: Vec<&'a Listed>,
}

/// The index page, a file by itself.
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

fn side_row(name: &str, side: &Summary) -> [String; 7] {
    [
        name.to_owned(),
        count(side.calls),
        share(side.promised(), side.wanted()),
        count(side.errors),
        count(side.unanswered),
        or_none(side.p99_seconds),
        count(side.lost),
    ]
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
    use holdfast_checker::fixtures::plan;

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
        let mut unplayed = plan();
        unplayed.name = "both-gone".to_owned();
        let others = Others {
            unplayed: vec![unplayed],
            ablations: vec!["ablations/one.md".to_owned()],
        };
        let page = index(&runs(), &others).unwrap();
        assert!(page.contains("make experiments EXPERIMENT=both-gone"));
        assert!(page.contains("href=\"ablations/one.md\""));
    }
}
