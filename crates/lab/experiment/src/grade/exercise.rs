//! An exercise's file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use holdfast_system::error::SystemError;
use serde::Deserialize;
use toml::Table;

use super::Answer;
use crate::contender::Contender;
use crate::error::ExperimentError;
use crate::plan::Expectation;
use crate::schema;

/// A story, a task, and what is judged with which weight.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exercise {
    /// The file's name, without its ending.
    #[serde(skip)]
    pub(super) name: String,
    #[serde(skip)]
    pub(super) text: String,
    pub(super) title: String,
    pub(super) story: String,
    pub(super) task: String,
    #[serde(default)]
    pub(super) hints: Vec<String>,
    /// The longest a call may take, whatever the answer says of itself: `"4s"`.
    bound: String,
    /// What it begins with: a policy file in the checkout, or a command that starts an API there.
    starter: Starter,
    #[serde(default)]
    pub(super) predict: Vec<Asked>,
    pub(super) judged: Vec<Judged>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Starter {
    Policies(String),
    Api(String),
}

/// A figure to be foretold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// What the figure is called in `lab predict`: a metric.
    pub(super) metric: String,
    pub(super) experiment: String,
    pub(super) question: String,
}

/// A requirement: met or not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Judged {
    /// In `experiments/`.
    pub(super) experiment: String,
    pub(super) weight: u32,
    pub(super) why: String,
    /// As in an experiment's `[resilient]`.
    shows: Table,
    #[serde(skip)]
    pub(super) expected: Vec<Expectation>,
}

impl Exercise {
    pub(super) fn read(file: &Path) -> Result<Self, ExperimentError> {
        let text = fs::read_to_string(file).map_err(SystemError::file("read", file))?;
        Self::parse(file, &text)
    }

    pub(super) fn parse(file: &Path, text: &str) -> Result<Self, ExperimentError> {
        let wrong =
            |problem: String| ExperimentError::Experiment(format!("{}: {problem}", file.display()));
        let mut exercise: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let name = file.file_stem().unwrap_or_default();
        exercise.name = name.to_string_lossy().into_owned();
        text.clone_into(&mut exercise.text);
        exercise.bound().map_err(&wrong)?;
        for judged in &mut exercise.judged {
            judged.expected = schema::expected(&judged.shows).map_err(&wrong)?;
        }
        match exercise.judged.iter().map(|it| it.weight).sum() {
            100 => Ok(exercise),
            sum => Err(wrong(format!(
                "the weights of what is judged come to {sum}, not to 100"
            ))),
        }
    }

    pub(super) fn bound(&self) -> Result<Duration, String> {
        let bound: Option<jiff::SignedDuration> = self.bound.parse().ok();
        let bound = bound.and_then(|bound| bound.try_into().ok());
        bound.ok_or_else(|| format!("bound = \"{}\": give a time such as \"4s\"", self.bound))
    }

    /// What is graded: the answer, or what the exercise begins with.
    pub(super) fn answer(&self, given: Answer, root: &Path) -> Result<Answer, ExperimentError> {
        match (given, &self.starter) {
            (Answer::Starter, Starter::Policies(file)) => Ok(Answer::Policies(root.join(file))),
            (Answer::Starter, Starter::Api(command)) => Ok(Answer::Api(Contender {
                name: format!("starter-{}", self.name),
                command: command.clone(),
                folder: root.to_owned(),
                bound: None,
            })),
            (answer @ Answer::Policies(_), Starter::Policies(_))
            | (answer @ Answer::Api(_), Starter::Api(_)) => Ok(answer),
            (Answer::Policies(_), Starter::Api(_)) => Err(self.other("--api 'COMMAND'")),
            (Answer::Api(_), Starter::Policies(_)) => Err(self.other("--policies FILE")),
        }
    }

    fn other(&self, wanted: &str) -> ExperimentError {
        ExperimentError::Experiment(format!("{} is answered with {wanted}", self.name))
    }
}

/// The policy file that is handed in.
pub(super) fn policies(file: &Path) -> Result<Table, ExperimentError> {
    let text = fs::read_to_string(file).map_err(SystemError::file("read", file))?;
    let table = text.parse::<Table>();
    table.map_err(|error| ExperimentError::Experiment(format!("{}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "title = 't'\nstory = 's'\ntask = 't'\nbound = '4s'\nstarter = { policies = 'p' }\n";

    fn parse(judged: &str) -> Result<Exercise, ExperimentError> {
        Exercise::parse(Path::new("exercises/01-x.toml"), &format!("{HEAD}{judged}"))
    }

    #[test]
    fn weights_come_to_a_hundred_and_figures_are_those_of_experiments() {
        let judged = |weight, shows| {
            format!(
                "[[judged]]\nexperiment = 'e'\nweight = {weight}\nwhy = 'w'\nshows = {{ {shows} }}\n"
            )
        };
        let whole = parse(&judged(100, "p99 = { at_most = '1s' }")).unwrap();
        assert_eq!(
            (whole.name.as_str(), whole.judged[0].expected.len()),
            ("01-x", 1)
        );
        let told = |text: &str| parse(text).unwrap_err().to_string();
        let short = told(&judged(90, "lost = { at_most = 0 }"));
        assert!(short.contains("come to 90, not to 100"), "{short}");
        let unknown = told(&judged(100, "p98 = { at_most = '1s' }"));
        assert!(unknown.contains("did you mean"), "{unknown}");
    }

    #[test]
    fn an_answer_of_the_other_kind_is_refused_with_what_is_wanted() {
        let text = "[[judged]]\nexperiment = 'e'\nweight = 100\nwhy = 'w'\nshows = { lost = { at_most = 0 } }\n";
        let exercise = parse(text).unwrap();
        let api = Answer::Api(Contender {
            name: "x".to_owned(),
            command: "x".to_owned(),
            folder: "/".into(),
            bound: None,
        });
        let error = exercise
            .answer(api, Path::new("/"))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "01-x is answered with --policies FILE");
    }
}
