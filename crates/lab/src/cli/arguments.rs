//! The commands and their arguments.

use clap::{Parser, Subcommand};

use crate::stage::Service;

const VARIABLES: &str = "Environment:
  STAGE                which stage: compose or local; unset: the one that is up, else Compose where a Docker
                       engine answers, else local
  API_PORT             where the API listens on 127.0.0.1 [8080]
  WORKER_PORT          where the worker listens, local stage only [8081]
  DB_PORT              where Postgres listens, local stage only [54320]
  HOLDFAST_WORK_DELAY, HOLDFAST_POLICIES, RUST_LOG
                       reach the services unchanged
  NO_COLOR             no colour, also on a terminal

Exit codes: 0 done, 1 failed, 2 wrong arguments, 64 bad configuration";

/// Puts Holdfast on a stage, breaks it, compares the naive and the resilient endpoint
#[derive(Debug, Parser)]
#[command(name = "lab", version, after_help = VARIABLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) task: Task,
}

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Bring the stage up, fresh; if any of it still lives, repair it and keep the data
    Up,
    /// Stop everything and delete the data
    Down,
    /// Print which stage `up` would act on: compose or local
    Stage,
    /// Show how each service is, and what the API thinks of its dependencies
    Status,
    /// Show the services' logs
    Logs {
        /// Only this one's
        service: Option<Service>,
        /// Go on showing what comes
        #[arg(short, long)]
        follow: bool,
    },
    /// Call the naive and the resilient endpoint at the same time and show both answers
    Compare,
    /// The guided tour: break each dependency in turn, compare, heal, on a stage of its own
    Demo,
    /// Measure both endpoints and pgbench's same two statements, interleaved, on a stage of its own
    Bench {
        /// How often each is measured; the medians count
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
        /// How long each measurement takes
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        seconds: u32,
    },
    /// Kill a service (SIGKILL): its port refuses
    Kill {
        /// Which
        service: Service,
    },
    /// Start a dead service on the data it had, or let a paused one go on
    Start {
        /// Which
        service: Service,
    },
    /// Stop a service with its port open (SIGSTOP): it accepts and never answers
    Pause {
        /// Which
        service: Service,
    },
    /// Let a paused service go on
    Resume {
        /// Which
        service: Service,
    },
}
