//! The `main` of a service: `serve` (the default) or `health`, one runtime, one line on failure.

use std::fmt::Display;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Command, FromArgMatches, Subcommand};

use crate::environment::{Environment, EnvironmentError};
use crate::{exit, probe, telemetry};

/// How long the health check waits; container engines call it every few seconds.
const HEALTH_LIMIT: Duration = Duration::from_secs(2);
/// How long leftover blocking threads (a name lookup that hangs) may hold up the end of the process.
const RUNTIME_STOP_LIMIT: Duration = Duration::from_secs(1);

/// Why a service ended other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It was never started: its configuration is wrong.
    #[error("bad configuration: {0}")]
    Configuration(String),
    /// It could not start, or stopped on its own.
    #[error("{0}")]
    Failed(String),
}

impl ServiceError {
    /// A configuration error, rendered.
    pub fn configuration(error: impl Display) -> Self {
        Self::Configuration(error.to_string())
    }

    /// A failure, rendered.
    pub fn failed(error: impl Display) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ServiceError> for ExitCode {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Configuration(_) => exit::configuration(),
            ServiceError::Failed(_) => exit::failure(),
        }
    }
}

impl From<EnvironmentError> for ServiceError {
    fn from(error: EnvironmentError) -> Self {
        Self::configuration(error)
    }
}

/// What tells one service from another.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// The binary's name.
    pub name: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// The environment variables it reads, for `--help`.
    pub variables: &'static str,
    /// Where it listens when `HOLDFAST_BIND` is unset.
    pub default_bind: &'static str,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Serve until SIGTERM or SIGINT (the default)
    Serve,
    /// Ask the service bound to HOLDFAST_BIND whether it is ready: exit 0 if so, 1 if not
    Health,
}

#[derive(Debug, Args)]
struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
}

impl Service {
    /// Runs the process: parses arguments, reads the environment, installs telemetry, then `serve`s or probes.
    ///
    /// Exit codes: 0 stopped as told or healthy, 1 failed or unhealthy, 2 wrong arguments, 64 bad configuration.
    pub fn main<F>(self, serve: impl FnOnce(Environment, SocketAddr) -> F) -> ExitCode
    where
        F: Future<Output = Result<(), ServiceError>>,
    {
        let command = Command::new(self.name)
            .about(self.about)
            .after_help(self.variables);
        let matches = Arguments::augment_args(command).get_matches();
        let task = match Arguments::from_arg_matches(&matches) {
            Ok(arguments) => arguments.task.unwrap_or(Task::Serve),
            Err(error) => error.exit(),
        };
        match self.run(&task, serve) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // Nobody is left to tell when stderr is gone too.
                let _ = writeln!(std::io::stderr(), "{}: {error}", self.name);
                error.into()
            }
        }
    }

    fn run<F>(
        self,
        task: &Task,
        serve: impl FnOnce(Environment, SocketAddr) -> F,
    ) -> Result<(), ServiceError>
    where
        F: Future<Output = Result<(), ServiceError>>,
    {
        let environment = Environment::of_service()?;
        let default: SocketAddr = self.default_bind.parse().map_err(ServiceError::failed)?;
        let bind = environment.parsed("HOLDFAST_BIND", default)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(ServiceError::failed)?;
        // Outlives the runtime: whatever runs last may still log.
        let mut telemetry = None;
        let result = match task {
            Task::Health => runtime
                .block_on(probe::ready(bind, HEALTH_LIMIT))
                .map_err(ServiceError::failed),
            Task::Serve => {
                telemetry = Some(telemetry::init(&environment, self.name, runtime.handle())?);
                runtime.block_on(serve(environment, bind))
            }
        };
        if let Some(telemetry) = &mut telemetry {
            telemetry.end_spans();
        }
        runtime.shutdown_timeout(RUNTIME_STOP_LIMIT);
        drop(telemetry);
        result
    }
}
