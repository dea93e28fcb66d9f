//! The `lab` command line: what each command does is elsewhere; here it is called, and its failure told.

mod arguments;
mod check;
mod experiments;
mod journals;
mod load;
mod logs;
mod status;
mod up;
mod values;

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use holdfast_ops::{Environment, exit};
use tokio::net::TcpListener;

use arguments::{Act, Arguments, Task};

use crate::api_check;
use crate::compare;
use crate::error::LabError;
use crate::output::Console;
use crate::settings::Settings;
use crate::stage::{AdminClient, Stage};
use crate::{bench, control, demo, guard, observe};
use holdfast_experiment::{self as experiment, torture};
use holdfast_system::error::SystemError;

/// Runs the command the process was called with.
///
/// Exit codes: 0 it did what it says, 1 it failed, 2 wrong arguments, 64 bad configuration.
pub async fn run() -> ExitCode {
    let task = Arguments::parse().task;
    let environment = Environment::of_process();
    let console = Console::new(&environment);
    let result = match (task, settings(&environment)) {
        (task, Ok(settings)) => perform(task, &settings, console).await,
        // Among the files of a torture there is no checkout, and no need of one.
        (Task::DistinctWorker { bind, delay }, Err(_)) => {
            let served = distinct_worker(bind, delay).await;
            served.map(|()| ExitCode::SUCCESS).map_err(LabError::from)
        }
        (_, Err(error)) => Err(error.into()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            error.tell(console);
            if error.is_configuration() {
                exit::configuration()
            } else {
                exit::failure()
            }
        }
    }
}

fn settings(environment: &Environment) -> Result<Settings, SystemError> {
    let folder = env::current_dir().map_err(SystemError::file("find", "the current folder"))?;
    Settings::read(environment, &folder)
}

async fn perform(task: Task, settings: &Settings, console: Console) -> Result<ExitCode, LabError> {
    match task {
        Task::Stage => console.print(Stage::chosen_to_bring_up(settings, console).await?.name()),
        Task::Up { fresh } => up::up(fresh, settings, console).await?,
        Task::Down => up::down(settings, console).await?,
        Task::Status => {
            let stage = Stage::to_act_on(settings, console).await?;
            return Ok(verdict(status::show(&stage, console).await?));
        }
        Task::Logs(wanted) => logs::show(&wanted, settings, console).await?,
        Task::Act(act) => {
            let stage = Stage::to_act_on(settings, console).await?;
            break_or_heal(act, &stage, console).await?;
        }
        Task::Control { port } => control::run(port, settings, console).await?,
        Task::Compare => return compare(settings, console).await,
        Task::Load(wanted) => load::run(wanted, settings, console).await?,
        Task::Check(wanted) => return Ok(verdict(check::run(wanted, settings, console).await?)),
        Task::Torture(wanted) => return Ok(experiments::torture(wanted, settings, console).await),
        Task::Run(wanted) => return Ok(experiments::run(wanted, settings, console).await),
        Task::Ablate(wanted) => return Ok(experiments::ablate(wanted, settings, console).await),
        Task::Reproduce { run } => {
            return Ok(experiments::reproduce(&run, settings, console).await);
        }
        Task::Grade(wanted) => return Ok(experiments::grade(wanted, settings, console).await?),
        Task::Predict { exercise, figures } => {
            experiment::predict(&exercise, &figures, settings, console)?;
        }
        Task::List => experiment::list(settings, console)?,
        Task::Report => experiment::write_report(settings, console)?,
        Task::Guard { guarded } => guard::stand(guarded, settings, console).await?,
        Task::ObserveCheck => return Ok(verdict(observe::run(settings, console).await?)),
        Task::Demo { step } => return Ok(verdict(demo::run(step, settings, console).await?)),
        Task::ApiCheck(plan) => {
            return Ok(verdict(api_check::run(plan, settings, console).await?));
        }
        Task::ClientCheck => {
            return Ok(verdict(api_check::run_client(settings, console).await?));
        }
        Task::DistinctWorker { bind, delay } => distinct_worker(bind, delay).await?,
        Task::Bench(plan) => bench::run(plan, settings, console).await?,
        Task::Scale(plan) => bench::scale(plan, settings, console).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn break_or_heal(act: Act, stage: &Stage, console: Console) -> Result<(), SystemError> {
    match act {
        Act::Reload => stage.reload(console).await,
        Act::Kill { service } => stage.kill(service).await,
        Act::Start { service } => stage.start(service).await,
        Act::Pause { service } => stage.pause(service).await,
        Act::Resume { service } => stage.resume(service).await,
        Act::Node { action, node } => stage.act_on(node, action).await,
    }
}

async fn distinct_worker(bind: SocketAddr, delay: Duration) -> Result<(), SystemError> {
    let listener = TcpListener::bind(bind).await;
    let listener = listener.map_err(SystemError::file("listen on", bind.to_string()))?;
    torture::worker::serve(listener, delay).await;
    Ok(())
}

async fn compare(settings: &Settings, console: Console) -> Result<ExitCode, LabError> {
    let stage = Stage::to_act_on(settings, console).await?;
    // Or whatever else listens on that port would be called.
    stage.conditions().await?;
    let probe = AdminClient::new(stage.api_port().await?);
    compare::ensure_curl(settings).await?;
    let comparison = compare::compare(&probe).await?;
    comparison.print(console);
    Ok(verdict(comparison.resilient.verdict.held))
}

fn verdict(held: bool) -> ExitCode {
    match held {
        true => ExitCode::SUCCESS,
        false => exit::failure(),
    }
}
