//! What a graded answer leaves: a table on the terminal, a report to read, a result that says what it was made from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use askama::Template;
use holdfast_system::error::SystemError;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::Answer;
use super::exercise::Exercise;
use super::predictions::{self, Foretold};
use super::score::{Entry, Played, entries, points};
use crate::error::ExperimentError;
use crate::output::{Console, Tone};
use crate::results::digest;
use crate::settings::Settings;

const FOLDER: &str = "grades";
const RESULT: &str = "result.json";
const REPORT: &str = "report.html";

/// What came of it: `result.json`, and a page to read.
#[derive(Serialize, Template)]
#[template(path = "grade.html")]
struct Grade<'a> {
    #[serde(serialize_with = "by_name")]
    exercise: &'a Exercise,
    graded: Timestamp,
    lab: &'static str,
    points: u32,
    answer: String,
    /// SHA-256 of each file that decided.
    inputs: BTreeMap<String, String>,
    entries: Vec<Entry>,
    predictions: Vec<Foretold>,
}

impl Grade<'_> {
    fn when(&self) -> String {
        self.graded.strftime("%Y-%m-%d %H:%M UTC").to_string()
    }
}

fn by_name<S: Serializer>(exercise: &&Exercise, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&exercise.name)
}

/// Writes and shows it; the points.
pub(super) fn leave(
    exercise: &Exercise,
    answer: &Answer,
    played: &[Played],
    settings: &Settings,
    console: Console,
) -> Result<u32, ExperimentError> {
    let entries = entries(exercise, played);
    let grade = Grade {
        exercise,
        graded: Timestamp::now(),
        lab: env!("CARGO_PKG_VERSION"),
        points: points(&entries),
        answer: told(answer),
        inputs: inputs(exercise, answer, &settings.root)?,
        entries,
        predictions: predictions::scored(exercise, played, settings),
    };
    let unfit = |error: &dyn std::fmt::Display| ExperimentError::Experiment(error.to_string());
    let result = serde_json::to_vec_pretty(&grade).map_err(|error| unfit(&error))?;
    let page = grade.render().map_err(|error| unfit(&error))?;
    let name = grade.graded.strftime("%Y-%m-%dT%H-%M-%S%.3fZ").to_string();
    let folder = settings.results.join(FOLDER);
    let folder = folder.join(&exercise.name).join(name);
    fs::create_dir_all(&folder).map_err(SystemError::file("make", &folder))?;
    for (file, bytes) in [(RESULT, result.as_slice()), (REPORT, page.as_bytes())] {
        let path = folder.join(file);
        fs::write(&path, bytes).map_err(SystemError::file("write", path))?;
    }
    show(&grade, &folder, console);
    Ok(grade.points)
}

fn show(grade: &Grade<'_>, folder: &Path, console: Console) {
    let points = grade.points;
    let tone = if points >= 100 { Tone::Good } else { Tone::Bad };
    let word = console.paint(tone, format!("{points} of 100"));
    console.print(format_args!("{word}  {}", grade.exercise.title));
    for entry in &grade.entries {
        let (earned, weight) = (entry.earned, entry.weight);
        let (why, experiment) = (&entry.why, &entry.experiment);
        console.print(format_args!(
            "  {earned:>3} of {weight:>3}  {why} ({experiment})"
        ));
        for line in &entry.seen {
            console.print(format_args!("              {line}"));
        }
        if let Some(call) = &entry.first_call {
            let line = format!("              first: {call}");
            console.print(console.paint(Tone::Faint, line));
        }
    }
    for foretold in &grade.predictions {
        console.print(format_args!("  foretold: {foretold}"));
    }
    if points < 100
        && let Some(hint) = grade.exercise.hints.first()
    {
        console.print(format_args!("  hint: {hint}"));
    }
    let line = format!("  report: {}", folder.join(REPORT).display());
    console.print(console.paint(Tone::Faint, line));
}

fn told(answer: &Answer) -> String {
    match answer {
        Answer::Starter => "what the exercise begins with".to_owned(),
        Answer::Policies(file) => file.display().to_string(),
        Answer::Api(contender) => contender.command.clone(),
    }
}

/// Of an API the command's words that are files.
fn inputs(
    exercise: &Exercise,
    answer: &Answer,
    root: &Path,
) -> Result<BTreeMap<String, String>, ExperimentError> {
    let mut files: Vec<PathBuf> = match answer {
        Answer::Starter => Vec::new(),
        Answer::Policies(file) => vec![file.clone()],
        Answer::Api(contender) => {
            let words = contender.command.split_whitespace();
            let files = words.map(|word| contender.folder.join(word));
            files.filter(|file| file.is_file()).collect()
        }
    };
    let experiments = root.join("experiments");
    files.push(experiments.join("policies.toml"));
    let named = |name: &str| experiments.join(name).with_extension("toml");
    files.extend(exercise.judged.iter().map(|it| named(&it.experiment)));
    let mut inputs = BTreeMap::from([(exercise.name.clone(), digest(exercise.text.as_bytes()))]);
    for file in files {
        let bytes = fs::read(&file).map_err(SystemError::file("read", &file))?;
        inputs.insert(file.display().to_string(), digest(&bytes));
    }
    Ok(inputs)
}
