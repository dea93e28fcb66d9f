//! The virtual stage: an experiment of the lab's, played on the modelled world as the lab plays it on processes: the same
//! arrivals, the same clients, the same policies, and a trial that is judged like theirs.

mod clients;
mod faults;
mod watch;

use std::io::{Read, Write};
use std::time::Duration;

use holdfast_api::embedded::parse_policies;
use holdfast_checker::durability::{Row, of_calls};
use holdfast_checker::plan::{Experiment, Side};
use holdfast_checker::trial::{Call, Durability, Trial};
use holdfast_checker::{schedule, verdict};
use serde::Deserialize;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, sleep_until};

use self::clients::Client;
use self::faults::Stricken;
use self::watch::Watch;
use crate::api::Api;
use crate::postgres::rows::{Status, Tables};
use crate::postgres::server::Server;
use crate::replica::Surroundings;
use crate::run::CannotRun;
use crate::world::time::{Clock, in_virtual_time};
use crate::world::worker::Worker;

/// Before the load: the journal opens, recovery begins.
const STARTS: Duration = Duration::from_secs(1);
/// How long all that is owed may take afterwards, as on processes; the naive side owes nothing that anybody would do.
const SETTLES: Duration = Duration::from_secs(45);
const NAIVE_SETTLES: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(200);

/// One side of an experiment, to be played.
#[derive(Debug, Deserialize)]
pub struct Order {
    /// Which.
    pub experiment: Experiment,
    /// The policy file's text.
    pub policies: String,
    /// Whose.
    pub side: Side,
}

/// Why it was not.
#[derive(Debug, thiserror::Error)]
pub enum NotPlayed {
    /// It cannot be begun.
    #[error(transparent)]
    CannotRun(#[from] CannotRun),
    /// It is not told what to play, or nobody takes what was seen.
    #[error("no trial can be read, or written: {0}")]
    Told(#[from] serde_json::Error),
    /// The model does not have what is to be broken, or judged.
    #[error("the modelled world has nothing of it: {0}")]
    Unknown(String),
    /// Nothing can be learnt from breaking what was not well before.
    #[error("there was no steady state to begin with: {0}")]
    NotSteady(String),
}

/// Plays the [`Order`] that `input` holds as JSON, and writes the [`Trial`] to `out` likewise.
///
/// # Errors
/// As those of [`Order::play`]; what is read is none.
pub fn play(input: impl Read, out: &mut impl Write) -> Result<(), NotPlayed> {
    let order: Order = serde_json::from_reader(input)?;
    Ok(serde_json::to_writer(out, &order.play()?)?)
}

impl Order {
    /// What was seen of it.
    ///
    /// # Errors
    /// When it cannot be played, or was not well before anything was broken.
    pub fn play(&self) -> Result<Trial, NotPlayed> {
        let trial = in_virtual_time(self.scene()).map_err(CannotRun::Runtime)??;
        verdict::steady_before(&self.experiment, &trial.calls).map_err(NotPlayed::NotSteady)?;
        Ok(trial)
    }

    async fn scene(&self) -> Result<Trial, NotPlayed> {
        let (experiment, load) = (&self.experiment, &self.experiment.load);
        let policies = parse_policies(&self.policies).map_err(CannotRun::Policies)?;
        let bound = policies.policies.worst_case();
        let clock = Clock::new(Instant::now());
        let server = Server::new(load.seed, clock.clone());
        let world = Surroundings::new(policies.policies, server, self.worker(), load.seed);
        let api = self.api(world.clone())?;
        sleep(STARTS).await;
        let epoch = Instant::now();
        let watch = Watch::begin(&api, &world, epoch);
        let warmup = experiment.system.work_warmup;
        let faults = experiment.faults.iter();
        let faults = faults.map(|fault| Stricken::new(fault, &api, &world, warmup));
        let faults = faults.collect::<Result<_, _>>()?;
        let faults = spawn_local(faults::play(faults, epoch));
        let mut calls = vec![];
        for arrival in schedule::with_surges(load, &experiment.faults) {
            sleep_until(epoch + arrival.at).await;
            let client = Client {
                api: api.clone(),
                load: load.clone(),
                arrival,
                epoch,
                clock: clock.clone(),
            };
            calls.push(spawn_local(client.call()));
        }
        let calls: Vec<Call> = all(calls).await;
        let faults = all(vec![faults]).await.concat();
        self.settle(&api, &world.server).await;
        let (samples, transitions) = watch.end();
        Ok(Trial {
            faults,
            transitions,
            samples,
            durability: durability(&calls, &world.server),
            calls,
            ..Trial::new(self.side, bound, load.lasts)
        })
    }

    /// The side that is judged, started.
    fn api(&self, world: Surroundings) -> Result<Api, NotPlayed> {
        let api = match self.side {
            Side::Naive => Api::naive(world),
            Side::Resilient => Api::resilient(world),
            Side::Contender => return Err(NotPlayed::Unknown("somebody else's API".to_owned())),
        };
        match api.start() {
            true => Ok(api),
            false => Err(CannotRun::Replica.into()),
        }
    }

    fn worker(&self) -> Worker {
        let system = &self.experiment.system;
        let takes = u64::try_from(system.work_delay.as_millis()).unwrap_or(u64::MAX);
        let capacity = system
            .work_capacity
            .map_or(usize::MAX >> 4, |it| it.get() as usize);
        let worker = Worker::new(self.experiment.load.seed, (takes, takes), capacity);
        worker.take_all();
        worker
    }

    /// Until nothing is owed any more, or what is owed will not be done.
    async fn settle(&self, api: &Api, server: &Server) {
        let most = match self.side {
            Side::Naive => NAIVE_SETTLES,
            Side::Resilient | Side::Contender => SETTLES,
        };
        let until = Instant::now() + most;
        while Instant::now() < until && (server.look(Tables::open) > 0 || api.entries() > 0) {
            sleep(POLL).await;
        }
    }
}

async fn all<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut done = Vec::with_capacity(tasks.len());
    for task in tasks {
        match task.await {
            Ok(value) => done.push(value),
            Err(ended) => std::panic::resume_unwind(ended.into_panic()),
        }
    }
    done
}

fn durability(calls: &[Call], server: &Server) -> Durability {
    let rows: Vec<Row> = server.look(|tables| {
        let row = |(id, row): (uuid::Uuid, &crate::postgres::rows::Row)| Row {
            id,
            key: row.payload.clone().unwrap_or_else(|| id.to_string()),
            status: match row.status {
                Status::Received => "received",
                Status::Done => "done",
                Status::Failed => "failed",
            }
            .to_owned(),
            error: String::new(),
            // Of one that is done there is always one in the model.
            result: (row.status == Status::Done).then(String::new),
        };
        tables.rows().map(row).collect()
    });
    of_calls(calls, rows)
}
