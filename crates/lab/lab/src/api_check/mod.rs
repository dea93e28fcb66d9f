//! The API against its own description: Schemathesis makes up requests from `/openapi.json`, valid and not, and holds each
//! answer to it. With all well, then with each dependency dead, then with both. And a client that was generated from the same
//! description does what its users would.
//!
//! On a system of its own, which ends with the command.

mod client;
mod python;
mod schemathesis;

use std::time::Duration;

use holdfast_checker::measure::GRACE;
use holdfast_system::error::SystemError;

use self::schemathesis::Schemathesis;
use crate::guard::{Guarded, guarded};
use crate::output::{Console, Tone};
use crate::run_dir::RunDir;
use crate::settings::Settings;
use crate::system::{ApiSpec, Part, System, SystemSpec, WorkerSpec};

const POLICIES: &str = include_str!("policies.toml");
/// Of an API that nobody else reaches: what operators may is checked as well.
const ADMIN_TOKEN: &str = "api-check-of-its-own-system";
/// Every call that works takes as long.
const WORK_DELAY: Duration = Duration::from_millis(5);

/// Who holds the API to its description.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// Schemathesis, with requests that it makes up.
    Requests(Plan),
    /// A client that is generated from it.
    Client,
}

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Made-up requests per operation and scenario, beside the systematic ones.
    pub examples: u32,
    /// Of what is made up.
    pub seed: u64,
}

/// What is dead while the API is asked.
#[derive(Debug, Clone, Copy)]
struct Scenario {
    name: &'static str,
    worker_dead: bool,
    database_dead: bool,
}

const SCENARIOS: [Scenario; 4] = [
    Scenario {
        name: "healthy",
        worker_dead: false,
        database_dead: false,
    },
    Scenario {
        name: "worker-dead",
        worker_dead: true,
        database_dead: false,
    },
    Scenario {
        name: "both-dead",
        worker_dead: true,
        database_dead: true,
    },
    Scenario {
        name: "database-dead",
        worker_dead: false,
        database_dead: true,
    },
];

/// Makes the check; whether each answer was as described. Whatever happens, nothing it started goes on.
///
/// # Errors
/// When a scenario could not be played, or was interrupted.
pub async fn run(check: Check, settings: &Settings, console: Console) -> Result<bool, SystemError> {
    guarded(Guarded::Processes, async {
        let mut folder = RunDir::make("api-check", settings, console).await?;
        let played = play(check, settings, &folder, console).await;
        if !matches!(played, Ok(true)) {
            folder.keep();
            let folder = folder.path().display();
            console.say(format_args!("  logs and reports are in {folder}"));
        }
        played
    })
    .await
}

async fn play(
    check: Check,
    settings: &Settings,
    folder: &RunDir,
    console: Console,
) -> Result<bool, SystemError> {
    match check {
        Check::Requests(plan) => make_up_requests(plan, settings, folder, console).await,
        Check::Client => client::play(settings, folder.path(), console).await,
    }
}

async fn make_up_requests(
    plan: Plan,
    settings: &Settings,
    folder: &RunDir,
    console: Console,
) -> Result<bool, SystemError> {
    let schemathesis = Schemathesis::install(settings, folder.path(), console).await?;
    let system = System::start_in(folder.path(), &spec(), settings).await?;
    let api = system.client(Part::Api(0))?;
    let bound = api.bound().await? + GRACE;
    console.say(format_args!("seed {}", plan.seed));
    let mut held = true;
    for scenario in SCENARIOS {
        set(scenario, &system).await?;
        let report = schemathesis.run(plan, scenario.name, api, bound).await?;
        let verdict = if report.held {
            (Tone::Good, "as described")
        } else {
            (Tone::Bad, "NOT as described")
        };
        console.print(format_args!(
            "  {:<14}{}  {}",
            scenario.name,
            console.paint(verdict.0, verdict.1),
            report.summary
        ));
        if !report.held {
            console.say(report.output);
        }
        held &= report.held;
    }
    Ok(held)
}

fn spec() -> SystemSpec {
    let mut api = ApiSpec::new("api", POLICIES);
    let token = ("HOLDFAST_ADMIN_TOKEN", ADMIN_TOKEN.to_owned());
    api.variables.push(token);
    SystemSpec::new(WorkerSpec::new(WORK_DELAY), vec![api])
}

/// Kills and starts until it is as in `scenario`.
async fn set(scenario: Scenario, system: &System) -> Result<(), SystemError> {
    for (part, dead) in [
        (Part::Worker, scenario.worker_dead),
        (Part::Db, scenario.database_dead),
    ] {
        match dead {
            true => system.kill(part).await?,
            false => system.start(part).await?,
        }
    }
    Ok(())
}
