//! A trial as lines of JSON: first what it is and in which units, then everything that was seen, each line with its
//! `type`. Numbers of seconds have up to nine decimals, so that reading them gives back the same durations.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::ResultsError;
use crate::plan::Side;
use crate::seconds;
use crate::trial::{
    Breach, Call, Durability, FaultWindow, Generator, Sample, Stranger, Transition, Trial,
};

/// Changed whenever a line means something else than before.
const SCHEMA: u32 = 1;
const UNITS: [(&str, &str); 6] = [
    ("bound, lasts", "seconds"),
    (
        "from, to, at, intended, sent, ended",
        "seconds from the start of the load",
    ),
    ("worker_arrivals", "requests so far"),
    ("cpu_us_per_request", "microseconds"),
    ("late_p99_ms, late_max_ms", "milliseconds"),
    ("all others", "counts"),
];

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Trial(Header),
    Fault(Cow<'a, FaultWindow>),
    Transition(Cow<'a, Transition>),
    Sample(Cow<'a, Sample>),
    Call(Cow<'a, Call>),
    Breach(Cow<'a, Breach>),
    #[serde(alias = "ledger")]
    Durability(Cow<'a, Durability>),
    Generator(Cow<'a, Generator>),
    Contender(Cow<'a, Stranger>),
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    schema: u32,
    side: Side,
    #[serde(with = "seconds")]
    bound: Duration,
    #[serde(with = "seconds")]
    lasts: Duration,
    /// Whether answers were held against the contract.
    #[serde(default = "yes")]
    contract: bool,
    units: BTreeMap<String, String>,
}

/// Journals written before this was asked all were.
fn yes() -> bool {
    true
}

/// All that a newer or older journal is sure to have.
#[derive(Debug, Deserialize)]
struct Version {
    schema: u32,
}

/// The journal's text.
///
/// # Errors
/// None that a trial can cause.
pub(super) fn write(trial: &Trial) -> serde_json::Result<String> {
    let units = UNITS.map(|(of, unit)| (of.to_owned(), unit.to_owned()));
    let header = Line::Trial(Header {
        schema: SCHEMA,
        side: trial.side,
        bound: trial.bound,
        lasts: trial.lasts,
        contract: trial.breaches.is_some(),
        units: units.into(),
    });
    let faults = trial.faults.iter().map(|it| Line::Fault(Cow::Borrowed(it)));
    let transitions = trial.transitions.iter();
    let transitions = transitions.map(|it| Line::Transition(Cow::Borrowed(it)));
    let samples = trial.samples.iter();
    let samples = samples.map(|it| Line::Sample(Cow::Borrowed(it)));
    let calls = trial.calls.iter().map(|it| Line::Call(Cow::Borrowed(it)));
    let breaches = trial.breaches.iter().flatten();
    let breaches = breaches.map(|it| Line::Breach(Cow::Borrowed(it)));
    let last = [
        Line::Durability(Cow::Borrowed(&trial.durability)),
        Line::Generator(Cow::Borrowed(&trial.generator)),
    ];
    let mut text = String::new();
    let seen = faults.chain(transitions).chain(samples).chain(calls);
    let contender = trial.contender.iter();
    let contender = contender.map(|it| Line::Contender(Cow::Borrowed(it)));
    for line in std::iter::once(header)
        .chain(seen)
        .chain(breaches)
        .chain(last)
        .chain(contender)
    {
        text += &serde_json::to_string(&line)?;
        text.push('\n');
    }
    Ok(text)
}

/// The trial that was written; `path` is for complaints.
///
/// # Errors
/// When it is of another schema, a line is none of ours, or one is missing.
pub(super) fn read(text: &str, path: &Path) -> Result<Trial, ResultsError> {
    let malformed = |index: usize, problem: String| ResultsError::Line {
        path: path.to_owned(),
        line: index + 1,
        problem,
    };
    let mut trial = begin(text, path)?;
    let (mut durability, mut generator) = (None, None);
    for (index, line) in text.lines().enumerate().skip(1) {
        let line = serde_json::from_str(line);
        match line.map_err(|error| malformed(index, error.to_string()))? {
            Line::Trial(_) => return Err(malformed(index, "a second trial begins".to_owned())),
            Line::Fault(it) => trial.faults.push(it.into_owned()),
            Line::Transition(it) => trial.transitions.push(it.into_owned()),
            Line::Sample(it) => trial.samples.push(it.into_owned()),
            Line::Call(it) => trial.calls.push(it.into_owned()),
            Line::Breach(it) => trial.breaches.get_or_insert_default().push(it.into_owned()),
            Line::Durability(it) => durability = Some(it.into_owned()),
            Line::Generator(it) => generator = Some(it.into_owned()),
            Line::Contender(it) => trial.contender = Some(it.into_owned()),
        }
    }
    let last = text.lines().count().saturating_sub(1);
    let missing = |what| malformed(last, format!("it ends without its {what}"));
    trial.durability = durability.ok_or_else(|| missing("durability"))?;
    trial.generator = generator.ok_or_else(|| missing("generator"))?;
    Ok(trial)
}

/// A trial of which only the header is known.
fn begin(text: &str, path: &Path) -> Result<Trial, ResultsError> {
    let malformed = |problem: String| ResultsError::Line {
        path: path.to_owned(),
        line: 1,
        problem,
    };
    let first = text.lines().next().unwrap_or_default();
    let read = serde_json::from_str(first);
    let Version { schema } = read.map_err(|error| malformed(error.to_string()))?;
    if schema != SCHEMA {
        return Err(ResultsError::Schema {
            path: path.to_owned(),
            found: schema,
            known: SCHEMA,
        });
    }
    let read = serde_json::from_str(first);
    let Line::Trial(header) = read.map_err(|error| malformed(error.to_string()))? else {
        return Err(malformed("it does not begin with a trial".to_owned()));
    };
    Ok(Trial {
        side: header.side,
        bound: header.bound,
        lasts: header.lasts,
        faults: Vec::new(),
        transitions: Vec::new(),
        samples: Vec::new(),
        calls: Vec::new(),
        breaches: header.contract.then(Vec::new),
        durability: Durability::default(),
        generator: Generator::default(),
        contender: None,
    })
}

#[cfg(test)]
mod tests;
