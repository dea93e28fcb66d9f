//! The commands and their arguments.

mod act;
mod experiments;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub(super) use act::Act;
pub(super) use experiments::{Ablate, Grade, Run};

use super::values::{duration, long_enough, rate};
use crate::guard::Guarded;
use crate::load::Arrivals;
use crate::stage::Service;
use crate::{api_check, bench};

/// In groups, as people use them.
const HELP: &str = include_str!("help.txt");

/// Puts Holdfast on a stage, breaks it, compares the naive and the resilient endpoint
#[derive(Debug, Parser)]
#[command(name = "lab", version, override_help = HELP)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) task: Task,
}

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Bring the stage up: what is there is kept, what is dead is started
    Up {
        /// Delete the data first, saying what was still owed
        #[arg(long)]
        fresh: bool,
    },
    /// Stop everything and delete the data, saying what was still owed
    Down,
    /// Print which stage `up` would act on: compose, local or swarm
    Stage,
    /// Show how each service is, and what the API thinks of its dependencies: exit 1 if one is dead
    Status,
    /// Show the services' logs as one, in the order of time
    Logs(Logs),
    /// Serve the page at a loopback address of its own, where its buttons break and heal
    Control {
        /// Where, on 127.0.0.1
        #[arg(long, default_value_t = 8090)]
        port: u16,
    },
    /// Call the naive and the resilient endpoint at the same time and show both answers
    Compare,
    /// Send requests at a steady rate, each until it is answered, and write down which were accepted
    Load(Load),
    /// Hold the accepted requests against Postgres: each must be there once, done
    Check(Check),
    /// Kill, pause and heal everything at random under load, on a stage of its own; then nothing accepted may be lost
    Torture(Torture),
    /// Have a real Prometheus scrape a system of its own while the worker dies and returns: each query of the dashboard
    /// must find data, and promtool nothing amiss
    ObserveCheck,
    /// Play experiments: break it on purpose, under load, and judge the naive and the resilient side
    Run(Run),
    /// Grade an answer to an exercise from 0 to 100: a policy file, or an API of one's own; without, what it begins with
    Grade(Grade),
    /// Write down what an exercise's run will show, before it is graded; without figures: show what is asked
    Predict {
        /// The exercise's file
        exercise: PathBuf,
        /// METRIC=FIGURE, such as lost=0: seconds, calls, or a share from 0 to 1
        figures: Vec<String>,
    },
    /// List the experiments: what each asks, and how it came out last
    List,
    /// Play an experiment's resilient side again and again, each time with one policy taken out: what fails without it?
    Ablate(Ablate),
    /// Play a run again, from its own files and seed, and say whether the verdicts agree
    Reproduce {
        /// NAME/RUN as the report gives it, the folder, or NAME for its latest run
        run: String,
    },
    /// Write the index of all runs' reports anew, and say where it is
    Report,
    /// Wait for the end of the lab that holds the other end of stdin, and clean up after it if need be
    #[command(hide = true)]
    Guard {
        /// What is to be ended
        guarded: Guarded,
    },
    /// Be the worker of torture, whose answers can be told apart
    #[command(hide = true)]
    DistinctWorker {
        /// Where it listens
        #[arg(long, env = "HOLDFAST_BIND")]
        bind: SocketAddr,
        /// How long each call takes
        #[arg(long, env = "HOLDFAST_WORK_DELAY", value_parser = duration)]
        delay: Duration,
    },
    /// The guided tour: break each dependency in turn, compare, heal, on a stage of its own
    Demo {
        /// Wait for Enter before each step
        #[arg(long)]
        step: bool,
    },
    /// Hold the API to its own description with made-up requests, healthy and with each dependency dead, on a system of its
    /// own
    ApiCheck(api_check::Plan),
    /// Generate a Python client from the API's description and have it talk to the API, healthy and without its worker, on a
    /// system of its own
    ClientCheck,
    /// Measure both endpoints and pgbench's same two statements, with a dead worker, without a database and without
    /// observers, all in turns, on processes of its own
    Bench(bench::Plan),
    /// Measure how cost grows: with replicas, connections, workers, open requests and done rows, on processes of its own
    Scale(bench::ScalePlan),
    #[command(flatten)]
    Act(Act),
}

#[derive(Debug, Args)]
pub(super) struct Logs {
    /// Only this one's
    pub(super) service: Option<Service>,
    /// Go on showing what comes
    #[arg(short, long)]
    pub(super) follow: bool,
    /// Only what belongs to this request, or trace, through API, recovery and worker
    #[arg(long, value_name = "ID")]
    pub(super) request: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Load {
    /// Requests per second
    #[arg(long, default_value = "20", value_parser = rate)]
    pub(super) rate: f64,
    /// For how long requests arrive
    #[arg(long = "for", value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(super) duration: Duration,
    /// How they arrive
    #[arg(long, value_enum, default_value = "poisson")]
    pub(super) arrivals: Arrivals,
    /// Of the arrivals [random, and printed]
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Where the accepted requests are written down [.lab/accepted.txt]
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// An API, in place of the stage's; several take turns, and an unanswered call goes on to the next
    #[arg(long = "url")]
    pub(super) urls: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The accepted requests [.lab/accepted.txt]
    pub(super) file: Option<PathBuf>,
    /// How long open and missing ones are given
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(super) wait: Duration,
    /// Let a failure that is recorded with its error pass
    #[arg(long)]
    pub(super) allow_failed: bool,
}

#[derive(Debug, Args)]
pub(super) struct Torture {
    /// How long requests arrive and faults are played
    #[arg(long, default_value = "60s", value_parser = long_enough)]
    pub(super) duration: Duration,
    /// Of faults and arrivals [random, and printed]
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// APIs on the same database, each with a journal of its own [1; on a Swarm always 3]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(super) replicas: Option<u8>,
    /// Requests per second
    #[arg(long, default_value = "20", value_parser = rate)]
    pub(super) rate: f64,
    /// How long all that was accepted may take to be done, once all is healed [120s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) settle: Option<Duration>,
    /// Keep the folder with logs and journals also when all went well
    #[arg(long)]
    pub(super) keep: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_coherent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_fits_80_columns_and_names_every_command() {
        assert!(HELP.lines().all(|line| line.chars().count() <= 80));
        for command in Arguments::command().get_subcommands() {
            let line = format!("\n  {} ", command.get_name());
            assert!(command.is_hide_set() || HELP.contains(&line), "{line}");
        }
    }
}
