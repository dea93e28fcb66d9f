//! Exercises that grade: an answer (a policy file, or an API of one's own) is played against experiments with fixed seeds,
//! and each requirement it meets earns its weight. The same answer earns the same.

mod exercise;
mod paper;
mod play;
mod predictions;
mod score;

use std::path::{Path, PathBuf};

use super::contender::Contender;
use crate::error::ExperimentError;
use crate::output::Console;
use crate::settings::Settings;

use exercise::Exercise;

pub use predictions::predict;

#[derive(Debug, Clone)]
pub enum Answer {
    /// Nothing: what the exercise begins with is graded.
    Starter,
    /// A policy file, laid over that of the experiments.
    Policies(PathBuf),
    Api(Contender),
}

/// Plays and scores an answer, shows why, and leaves a report and a result with the hashes of all that went into it. Whether
/// it earned all points.
///
/// # Errors
/// When the exercise cannot be used, nothing could be played, or it was interrupted.
pub async fn grade(
    file: &Path,
    answer: Answer,
    settings: &Settings,
    console: Console,
) -> Result<bool, ExperimentError> {
    let exercise = Exercise::read(file)?;
    let answer = exercise.answer(answer, &settings.root)?;
    let played = play::play(&exercise, &answer, settings, console).await?;
    let points = paper::leave(&exercise, &answer, &played, settings, console)?;
    Ok(points >= 100)
}
