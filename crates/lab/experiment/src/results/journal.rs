//! A trial as lines of JSON: first what it is and in which units, then everything that was seen, each line with its
//! `type`. Numbers of seconds have up to nine decimals, so that reading them gives back the same durations.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{ResultsError, of_schema};
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

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Trial(Header),
    Fault(FaultWindow),
    Transition(Transition),
    Sample(Sample),
    Call(Call),
    Breach(Breach),
    #[serde(alias = "ledger")]
    Durability(Durability),
    Generator(Generator),
    Contender(Stranger),
}

#[derive(Serialize)]
struct Typed<'a, T> {
    r#type: &'static str,
    #[serde(flatten)]
    line: &'a T,
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

/// Its text; `file` is for complaints.
pub(super) fn write(trial: &Trial, file: &str) -> Result<String, ResultsError> {
    let written = lines(trial);
    written.map_err(|error| ResultsError::malformed(Path::new(file), error))
}

fn lines(trial: &Trial) -> serde_json::Result<String> {
    let header = Header {
        schema: SCHEMA,
        side: trial.side,
        bound: trial.bound,
        lasts: trial.lasts,
        contract: trial.breaches.is_some(),
        units: UNITS
            .map(|(of, unit)| (of.to_owned(), unit.to_owned()))
            .into(),
    };
    let mut text = String::new();
    add(&mut text, "trial", [&header])?;
    add(&mut text, "fault", &trial.faults)?;
    add(&mut text, "transition", &trial.transitions)?;
    add(&mut text, "sample", &trial.samples)?;
    add(&mut text, "call", &trial.calls)?;
    add(&mut text, "breach", trial.breaches.iter().flatten())?;
    add(&mut text, "durability", [&trial.durability])?;
    add(&mut text, "generator", [&trial.generator])?;
    add(&mut text, "contender", &trial.contender)?;
    Ok(text)
}

fn add<'a, T: Serialize + 'a>(
    text: &mut String,
    r#type: &'static str,
    lines: impl IntoIterator<Item = &'a T>,
) -> serde_json::Result<()> {
    for line in lines {
        *text += &serde_json::to_string(&Typed { r#type, line })?;
        text.push('\n');
    }
    Ok(())
}

/// The trial that was written; `path` is for complaints.
pub(super) fn read(text: &str, path: &Path) -> Result<Trial, ResultsError> {
    let malformed = |index: usize, problem: String| ResultsError::Line {
        path: path.to_owned(),
        line: index + 1,
        problem,
    };
    let parsed = |index, line| {
        let line = serde_json::from_str::<Line>(line);
        line.map_err(|error| malformed(index, error.to_string()))
    };
    let first = text.lines().next().unwrap_or_default();
    of_schema(SCHEMA, first.as_bytes(), path).map_err(|error| match error {
        ResultsError::Malformed { problem, .. } => malformed(0, problem),
        other => other,
    })?;
    let Line::Trial(header) = parsed(0, first)? else {
        return Err(malformed(0, "it does not begin with a trial".to_owned()));
    };
    let mut trial = Trial::new(header.side, header.bound, header.lasts);
    trial.breaches = header.contract.then(Vec::new);
    let (mut durability, mut generator) = (None, None);
    for (index, line) in text.lines().enumerate().skip(1) {
        match parsed(index, line)? {
            Line::Trial(_) => return Err(malformed(index, "a second trial begins".to_owned())),
            Line::Fault(it) => trial.faults.push(it),
            Line::Transition(it) => trial.transitions.push(it),
            Line::Sample(it) => trial.samples.push(it),
            Line::Call(it) => trial.calls.push(it),
            Line::Breach(it) => trial.breaches.get_or_insert_default().push(it),
            Line::Durability(it) => durability = Some(it),
            Line::Generator(it) => generator = Some(it),
            Line::Contender(it) => trial.contender = Some(it),
        }
    }
    let last = text.lines().count().saturating_sub(1);
    let missing = |what| malformed(last, format!("it ends without its {what}"));
    trial.durability = durability.ok_or_else(|| missing("durability"))?;
    trial.generator = generator.ok_or_else(|| missing("generator"))?;
    Ok(trial)
}

#[cfg(test)]
mod tests;
