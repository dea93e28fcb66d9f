//! The API against its own description: Schemathesis makes up requests from `/openapi.json`, valid and not, and holds each
//! answer to it. With all well, then with each dependency dead, then with both. And a client that was generated from the same
//! description does what its users would.
//!
//! On a system of its own, which ends with the command.

mod client;
mod python;
mod schemathesis;

use std::time::Duration;

use clap::Args;
use holdfast_checker::measure::GRACE;
use holdfast_system::error::SystemError;

use self::client::Client;
use self::schemathesis::Schemathesis;
use crate::alone::alone;
use crate::error::LabError;
use crate::output::{Console, Tone};
use crate::settings::Settings;
use crate::system::{ApiSpec, Part, System, SystemSpec, WorkerSpec};

const POLICIES: &str = include_str!("policies.toml");
/// Of an API that nobody else reaches: what operators may is checked as well.
const ADMIN_TOKEN: &str = "api-check-of-its-own-system";
/// Every call that works takes as long.
const WORK_DELAY: Duration = Duration::from_millis(5);

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Plan {
    /// Made-up requests per operation and scene, beside the systematic ones
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) examples: u32,
    /// Of what is made up
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// A name, and what is dead while the API is asked.
type Scene = (&'static str, &'static [Part]);

const MADE_UP: [Scene; 4] = [
    ("healthy", &[]),
    ("worker-dead", &[Part::Worker]),
    ("both-dead", &[Part::Worker, Part::Db]),
    ("database-dead", &[Part::Db]),
];
const BY_CLIENT: [Scene; 3] = [
    ("healthy", &[]),
    ("worker-dead", &[Part::Worker]),
    ("healed", &[]),
];

/// Has Schemathesis make up requests; whether each answer was as described.
pub(crate) async fn run(
    plan: Plan,
    settings: &Settings,
    console: Console,
) -> Result<bool, LabError> {
    alone("api-check", None, settings, console, async |folder| {
        let schemathesis = Schemathesis::install(settings, folder, console).await?;
        let system = System::start_in(folder, &spec(), settings).await?;
        let api = system.client(Part::Api(0))?;
        let bound = api.bound().await? + GRACE;
        console.say(format_args!("seed {}", plan.seed));
        let mut held = true;
        for scene in MADE_UP {
            set(scene, &system).await?;
            let found = schemathesis.run(plan, scene.0, api, bound).await?;
            held &= found.told(scene.0, console);
        }
        Ok(held)
    })
    .await
}

/// Generates a client and has it play all scenes; whether each answer was what its types say.
pub(crate) async fn run_client(settings: &Settings, console: Console) -> Result<bool, LabError> {
    alone("client-check", None, settings, console, async |folder| {
        let client = Client::install(settings, folder, console).await?;
        let system = System::start_in(folder, &spec(), settings).await?;
        let base = system.client(Part::Api(0))?.base();
        let mut held = client.generate(base).await?.told("generated", console);
        if !held {
            return Ok(false);
        }
        for scene in BY_CLIENT {
            set(scene, &system).await?;
            held &= client.play(scene.0, base).await?.told(scene.0, console);
        }
        Ok(held)
    })
    .await
}

/// What came of a scene.
struct Found {
    held: bool,
    /// In a few words; there need be none.
    summary: String,
    /// All that the program said.
    output: String,
}

impl Found {
    /// Says so; whether all was as described.
    fn told(&self, scene: &str, console: Console) -> bool {
        let (tone, verdict) = match self.held {
            true => (Tone::Good, "as described"),
            false => (Tone::Bad, "NOT as described"),
        };
        let verdict = console.paint(tone, verdict);
        let line = format!("  {scene:<14}{verdict}  {}", self.summary);
        console.print(line.trim_end());
        if !self.held {
            console.say(&self.output);
        }
        self.held
    }
}

fn spec() -> SystemSpec {
    let mut api = ApiSpec::new("api", POLICIES);
    let token = ("HOLDFAST_ADMIN_TOKEN", ADMIN_TOKEN.to_owned());
    api.variables.push(token);
    SystemSpec::new(WorkerSpec::new(WORK_DELAY), vec![api])
}

/// Kills and starts until it is as in this scene.
async fn set((_, dead): Scene, system: &System) -> Result<(), SystemError> {
    for part in [Part::Worker, Part::Db] {
        match dead.contains(&part) {
            true => system.kill(part).await?,
            false => system.start(part).await?,
        }
    }
    Ok(())
}
