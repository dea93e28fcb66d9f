//! Exercises that grade: an answer (a policy file, or an API of one's own) is played against experiments with fixed seeds,
//! and each requirement it meets earns its weight. The same answer earns the same.

mod exercise;
mod paper;
mod play;
mod predictions;
mod score;

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_system::error::SystemError;

use super::contender::Contender;
use crate::error::ExperimentError;
use crate::output::Console;
use crate::settings::Settings;

use exercise::Exercise;

pub use predictions::predict;

/// What is handed in.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Nothing: what the exercise begins with is graded.
    Starter,
    /// A policy file, laid over that of the experiments.
    Policies(PathBuf),
    /// An API.
    Api(Contender),
}

/// Plays and scores an answer, shows why, and leaves a report and a result with the hashes of all that went into it. Whether
/// it earned all points.
///
/// # Errors
/// When the exercise cannot be used, or nothing could be played. [`SystemError::Interrupted`].
pub async fn grade(
    file: &Path,
    answer: Answer,
    settings: &Settings,
    console: Console,
) -> Result<bool, ExperimentError> {
    let text = fs::read_to_string(file).map_err(SystemError::file("read", file))?;
    let exercise = Exercise::parse(file, &text)?;
    let answer = exercise.answer(answer, &settings.root)?;
    let score = play::play(&exercise, &answer, settings, console).await?;
    paper::leave(&exercise, &answer, &score, settings, console)?;
    Ok(score.points() >= 100)
}
