//! What is told of all that was played: as JSON, or in closing lines that name what went wrong and what was seen of it.

use serde::Serialize;

use super::super::report;
use super::super::verdict::{Check, Finding, Verdict};
use super::Outcome;
use crate::output::{Console, Tone};

/// One experiment, played or not.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Told {
    Played {
        experiment: String,
        /// Whose API it was; none: both sides of ours.
        #[serde(skip_serializing_if = "Option::is_none")]
        contender: Option<String>,
        run: String,
        passed: bool,
        verdict: Verdict,
    },
    NotPlayed {
        experiment: String,
        error: String,
    },
}

impl Told {
    pub(super) fn not_played(experiment: &str, error: impl ToString) -> Self {
        Self::NotPlayed {
            experiment: experiment.to_owned(),
            error: error.to_string(),
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Played { passed: true, .. } => Outcome::Held,
            Self::Played { verdict, .. } => Outcome::of(verdict),
            Self::NotPlayed { .. } => Outcome::NotPlayed,
        }
    }

    /// Why it has not passed, a line for each reason; none: it has.
    fn reasons(&self) -> Vec<String> {
        match self {
            Self::Played { passed: true, .. } => Vec::new(),
            Self::Played {
                experiment,
                contender,
                verdict,
                ..
            } => {
                let told = |check: &&Check| match check.finding() {
                    Finding::Held => false,
                    Finding::Failed => true,
                    Finding::Unknown => contender.is_none(),
                };
                let amiss = verdict.checks.iter().filter(told);
                amiss
                    .map(|check| format!("{experiment}: {}", report::line(check)))
                    .collect()
            }
            Self::NotPlayed { experiment, error } => {
                vec![format!("{experiment} could not be played: {error}")]
            }
        }
    }
}

pub(super) fn outcome(told: &[Told]) -> Outcome {
    let worst = told.iter().map(Told::outcome).max();
    worst.unwrap_or(Outcome::NotPlayed)
}

pub(super) fn as_json(told: &[Told], console: Console) {
    // Plain data: nothing in it can fail to be written.
    console.print(serde_json::to_string_pretty(told).unwrap_or_default());
}

/// Prints it for who reads the end of a log alone: the count, then each reason why something has not passed.
pub(super) fn sum_up(told: &[Told], console: Console) {
    let tone = match outcome(told) {
        Outcome::Held => Tone::Good,
        Outcome::Unknown => Tone::Warning,
        _ => Tone::Bad,
    };
    for line in closing(told) {
        console.print(console.paint(tone, line));
    }
}

fn closing(told: &[Told]) -> Vec<String> {
    let count = |wanted| told.iter().filter(|it| it.outcome() == wanted).count();
    let held = count(Outcome::Held);
    let (deviated, not_played) = (count(Outcome::Deviated), count(Outcome::NotPlayed));
    let mut counts =
        format!("{held} passed, {deviated} deviated, {not_played} could not be played");
    match count(Outcome::Unknown) {
        0 => {}
        unknown => counts += &format!(", {unknown} could not be judged"),
    }
    let mut lines = vec![counts];
    let reasons = told.iter().flat_map(Told::reasons);
    lines.extend(reasons.map(|reason| format!("  {reason}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{answered, plan, played};
    use crate::verdict::judge;

    fn run(experiment: &str, bad: bool) -> Told {
        let (naive, mut resilient) = played();
        if bad {
            resilient.calls[40].end = answered(503);
        }
        let verdict = judge(&plan(), &naive, &resilient);
        Told::Played {
            experiment: experiment.to_owned(),
            contender: None,
            run: format!("{experiment}/1"),
            passed: verdict.stands(),
            verdict,
        }
    }

    #[test]
    fn what_could_not_be_measured_has_neither_passed_nor_deviated() {
        let mut unknown = run("worker-killed", false);
        if let Told::Played {
            passed, verdict, ..
        } = &mut unknown
        {
            let check = verdict.checks.last_mut().unwrap();
            (check.holds, check.unknown, *passed) = (false, true, false);
        }
        let told = [run("worker-slow", false), unknown];
        assert_eq!(outcome(&told), Outcome::Unknown);
        let lines = closing(&told);
        assert!(lines[0].ends_with(", 1 could not be judged"), "{lines:?}");
        assert!(lines[1].contains("unknown: time_to_recover"), "{lines:?}");
    }

    #[test]
    fn the_end_names_what_deviated_with_limit_and_figure_and_what_could_not_be_played() {
        let not_played = Told::not_played("api-killed", "no steady state");
        let told = [
            run("worker-slow", false),
            run("worker-killed", true),
            not_played,
        ];
        let limit =
            "resilient: promised_share, over all calls: had to be at least 100 %, was 99.29 %";
        assert_eq!(
            closing(&told),
            [
                "1 passed, 1 deviated, 1 could not be played".to_owned(),
                format!("  worker-killed: {limit}"),
                "  api-killed could not be played: no steady state".to_owned(),
            ]
        );
        assert_eq!(outcome(&told), Outcome::NotPlayed);
        assert_eq!(outcome(&told[..2]), Outcome::Deviated);
        assert_eq!(
            closing(&told[..1]),
            ["1 passed, 0 deviated, 0 could not be played"]
        );
    }
}
