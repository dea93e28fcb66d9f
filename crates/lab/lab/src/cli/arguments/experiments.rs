//! What is played, and what is graded.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::super::values::duration;

#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    /// Files, or names of files in experiments/
    #[arg(value_name = "FILE", required_unless_present = "all")]
    pub(in crate::cli) experiments: Vec<String>,
    /// All there are
    #[arg(long, conflicts_with = "experiments")]
    pub(in crate::cli) all: bool,
    /// In place of the experiment's own
    #[arg(long)]
    pub(in crate::cli) seed: Option<u64>,
    /// Trials of each side, in alternating order
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(in crate::cli) repeat: u32,
    /// Play once more what does not hold, and judge it by that
    #[arg(long)]
    pub(in crate::cli) retry: bool,
    /// Print the verdicts as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Keep the folders with logs and journals
    #[arg(long)]
    pub(in crate::cli) keep: bool,
    /// Judge another API, which this command starts: it listens on $PORT; docs/your-own-api.md has the contract
    #[arg(long, value_name = "COMMAND")]
    pub(in crate::cli) api: Option<String>,
    /// What that API is called
    #[arg(long, value_name = "NAME", requires = "api")]
    pub(in crate::cli) name: Option<String>,
    /// The longest a call of it may take by its author's word; without, that is not judged
    #[arg(long, value_name = "DURATION", requires = "api", value_parser = duration)]
    pub(in crate::cli) bound: Option<Duration>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Grade {
    /// The exercise's file, exercises/NN-name.toml
    pub(in crate::cli) exercise: PathBuf,
    /// The policy file that is handed in
    #[arg(long, value_name = "FILE", conflicts_with = "api")]
    pub(in crate::cli) policies: Option<PathBuf>,
    /// The command that starts the API that is handed in; docs/your-own-api.md has the contract
    #[arg(long, value_name = "COMMAND")]
    pub(in crate::cli) api: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Ablate {
    /// Files, or names of files in experiments/
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) experiments: Vec<String>,
    /// In place of the experiment's own
    #[arg(long)]
    pub(in crate::cli) seed: Option<u64>,
}
