//! Predictions: written down before a run, held against it afterwards. They earn no points; they show who knew.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use holdfast_system::error::SystemError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::exercise::{Asked, Exercise};
use super::score::{Played, figure};
use crate::error::ExperimentError;
use crate::hint::hint;
use crate::output::Console;
use crate::settings::Settings;

const FOLDER: &str = "predictions";
/// Within a tenth of the figure, or of the largest share.
const NEAR: f64 = 0.1;

#[derive(Debug, Serialize, Deserialize)]
struct Written {
    at: Timestamp,
    figures: BTreeMap<String, f64>,
}

/// A prediction beside what was seen.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Foretold {
    question: String,
    foretold: Option<f64>,
    seen: Option<f64>,
}

/// Writes down `METRIC=FIGURE` for an exercise; without any, asks its questions.
pub fn predict(
    file: &Path,
    figures: &[String],
    settings: &Settings,
    console: Console,
) -> Result<(), ExperimentError> {
    let exercise = Exercise::read(file)?;
    if figures.is_empty() {
        for asked in &exercise.predict {
            console.print(format_args!("{}=?  {}", asked.metric, asked.question));
        }
        return Ok(());
    }
    let figures = figures.iter().map(|figure| read(figure, &exercise.predict));
    let written = Written {
        at: Timestamp::now(),
        figures: figures.collect::<Result<_, _>>()?,
    };
    let path = path(&exercise.name, settings);
    let folder = path.parent().unwrap_or(&path);
    fs::create_dir_all(folder).map_err(SystemError::file("make", folder))?;
    let text = serde_json::to_string_pretty(&written).unwrap_or_default();
    fs::write(&path, text).map_err(SystemError::file("write", &path))?;
    console.print(format_args!("written down: {}", path.display()));
    Ok(())
}

fn path(name: &str, settings: &Settings) -> PathBuf {
    settings
        .results
        .join(FOLDER)
        .join(name)
        .with_extension("json")
}

fn read(text: &str, asked: &[Asked]) -> Result<(String, f64), ExperimentError> {
    let wrong = |problem: String| ExperimentError::Experiment(format!("{text}: {problem}"));
    let (metric, figure) = text
        .split_once('=')
        .ok_or_else(|| wrong("give METRIC=FIGURE, such as lost=0".to_owned()))?;
    let known: Vec<&str> = asked.iter().map(|it| it.metric.as_str()).collect();
    if !known.contains(&metric) {
        return Err(wrong(hint(metric, &known)));
    }
    let figure = figure.parse().ok().filter(|it: &f64| it.is_finite());
    let figure = figure.ok_or_else(|| {
        wrong("give a number: of seconds, of calls, or a share from 0 to 1".to_owned())
    })?;
    Ok((metric.to_owned(), figure))
}

/// What the exercise asked for, foretold or not, beside what was seen.
pub(super) fn scored(exercise: &Exercise, played: &[Played], settings: &Settings) -> Vec<Foretold> {
    let written = fs::read(path(&exercise.name, settings)).ok();
    let written: Option<Written> = written.and_then(|text| serde_json::from_slice(&text).ok());
    let Some(written) = written else {
        return Vec::new();
    };
    let foretold = |asked: &Asked| Foretold {
        question: asked.question.clone(),
        foretold: written.figures.get(&asked.metric).copied(),
        seen: figure(asked, played),
    };
    exercise.predict.iter().map(foretold).collect()
}

impl fmt::Display for Foretold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number =
            |it: Option<f64>| it.map_or_else(|| "nothing".to_owned(), |it| format!("{it:.3}"));
        let (foretold, seen) = (number(self.foretold), number(self.seen));
        let (question, word) = (&self.question, self.word());
        write!(f, "{question} {foretold}, seen {seen}: {word}")
    }
}

impl Foretold {
    fn word(&self) -> &'static str {
        match (self.foretold, self.seen) {
            (Some(foretold), Some(seen)) if is_near(foretold, seen) => "right",
            (Some(_), Some(_)) => "wrong",
            (None, _) => "not foretold",
            (_, None) => "cannot be said",
        }
    }
}

fn is_near(foretold: f64, seen: f64) -> bool {
    (foretold - seen).abs() <= NEAR * seen.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> [Asked; 1] {
        [Asked {
            metric: "lost".to_owned(),
            experiment: "worker-killed".to_owned(),
            question: "How many are lost?".to_owned(),
        }]
    }

    #[test]
    fn only_what_is_asked_can_be_foretold_and_only_with_a_number() {
        assert_eq!(read("lost=3", &asked()).unwrap(), ("lost".to_owned(), 3.0));
        for bad in ["lots=3", "lost", "lost=many", "lost=inf"] {
            assert!(read(bad, &asked()).is_err(), "{bad}");
        }
    }

    #[test]
    fn within_a_tenth_is_right() {
        assert!(is_near(220.0, 200.0) && is_near(0.95, 1.0) && !is_near(230.0, 200.0));
        let foretold = Foretold {
            question: "Lost?".to_owned(),
            foretold: Some(0.0),
            seen: Some(199.0),
        };
        assert_eq!(foretold.to_string(), "Lost? 0.000, seen 199.000: wrong");
    }
}
