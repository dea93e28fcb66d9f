//! Reading an experiment: TOML, checked key by key and rule by rule. `experiments/README.md` says what may stand in it.
//!
//! What is refused is refused with its location, its value and the rule: who mistypes a key is told which one was meant.

mod error;
mod expectations;
mod faults;
mod file;
mod json;
mod location;
mod rules;
mod text;

use std::path::Path;

use toml::{Table, Value};

use super::plan::{Expectation, Experiment};
use error::Broken;
use location::Location;

pub use error::SchemaError;
pub use json::json_schema;

impl Experiment {
    /// Reads what stands in the file at `path`; its name, without its ending, is the experiment's.
    ///
    /// # Errors
    /// One line, which begins with the file and the line.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SchemaError> {
        let file = path.display().to_string();
        let table: Table =
            toml::from_str(text).map_err(|e| SchemaError::syntax(&file, text, &e))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        typed(table)
            .and_then(|typed| build(&name, typed))
            .map_err(|broken| broken.of(&file, text))
    }
}

/// What a side must show, from a table as in `[resilient]`.
///
/// # Errors
/// What is wrong with it, in words.
pub fn expected(table: &Table) -> Result<Vec<Expectation>, String> {
    let expected: file::Expectations = table
        .clone()
        .try_into()
        .map_err(|error: toml::de::Error| error.message().to_owned())?;
    let typed = expectations::typed("shows", &expected);
    typed.map_err(|broken| broken.to_string())
}

fn typed(table: Table) -> Result<file::File, Broken> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let location = Location::from(error.path());
        Broken::of_type(location, error.inner().message())
    })
}

fn build(name: &str, file: file::File) -> Result<Experiment, Broken> {
    let mut plan = Experiment {
        name: name.to_owned(),
        title: file.title,
        question: file.question,
        prediction: file.prediction,
        stages: file.stages,
        system: file.system,
        load: file.load,
        faults: faults::typed(file.fault)?,
        naive: expectations::typed("naive", &file.naive)?,
        resilient: expectations::typed("resilient", &file.resilient)?,
    };
    rules::check(&plan)?;
    plan.faults.sort_by_key(|fault| fault.at);
    Ok(plan)
}

#[cfg(test)]
mod tests;
