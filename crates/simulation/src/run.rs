//! One run: the world of a plan, played to its end and judged.

use std::time::Duration;

use holdfast_api::embedded::{Policies, parse_policies};
use tokio::task::{spawn_local, yield_now};
use tokio::time::{Instant, sleep, sleep_until};

use crate::check::{CHECKS, Run};
use crate::client::Client;
use crate::director::Director;
use crate::history::{History, Violation};
use crate::mutant::Mutant;
use crate::plan::{Call, LOAD, Plan};
use crate::postgres::rows::Tables;
use crate::postgres::server::Server;
use crate::replica::{Held, Replica, Surroundings};
use crate::world::number;
use crate::world::time::{Clock, in_virtual_time};
use crate::world::trace::Event;
use crate::world::worker::{Worker, is_unlucky};

/// What was the longest pause of anything before the end: the breaker's open time, a lease, a quarantine, a refused request's
/// pause; twice, because one may begin when another ends; and what has piled up is worked off beside live calls.
const SETTLES_WITHIN: Duration = Duration::from_secs(420);
/// Laid over the defaults: requests that the worker refuses are given up sooner than after ten minutes.
const POLICIES: &str = "[recovery]\nmax_attempts = 2";

/// How a run went.
#[derive(Debug, Clone)]
pub struct Report {
    /// What identifies it.
    pub hash: u64,
    /// The first promise that was broken.
    pub violation: Option<Violation>,
    /// What happened to the request it shows in.
    pub evidence: Vec<Event>,
    /// Calls of clients.
    pub calls: u64,
    /// All that happened.
    pub events: usize,
}

/// Why nothing can be played.
#[derive(Debug, thiserror::Error)]
pub enum CannotRun {
    /// The policies.
    #[error("the policies are refused: {0}")]
    Policies(#[from] holdfast_api::embedded::PolicyFileError),
    /// The machine.
    #[error("no runtime: {0}")]
    Runtime(#[from] std::io::Error),
    /// The policies fit nobody.
    #[error("a replica cannot be started with these policies")]
    Replica,
}

/// Plays `plan`, with a defect or without, and keeps what happened to `request`, or else to the one that shows a violation.
///
/// # Errors
/// When it cannot be begun.
pub fn play(plan: &Plan, mutant: Mutant, request: Option<u64>) -> Result<Report, CannotRun> {
    let policies = parse_policies(&mutant.policies(POLICIES))?.policies;
    let scene = async { World::begin(plan, policies, mutant).play(request).await };
    Ok(in_virtual_time(scene)?)
}

struct World<'a> {
    plan: &'a Plan,
    director: Director,
    client: Client,
}

impl<'a> World<'a> {
    fn begin(plan: &'a Plan, policies: Policies, mutant: Mutant) -> Self {
        let server = Server::new(plan.seed, Clock::new(Instant::now()));
        let worker = Worker::new(plan.seed, plan.work, plan.capacity);
        if mutant == Mutant::BudgetNotShared {
            // Its recovery cannot see that live calls succeed, so it would never hold a refusal against a request.
            worker.take_all();
        }
        let world = Surroundings {
            mutant,
            ..Surroundings::new(policies, server, worker, plan.seed)
        };
        let replica = |number| Replica::new(number, world.clone());
        let replicas: Vec<Replica> = (0..plan.replicas).map(replica).collect();
        Self {
            plan,
            client: Client {
                replicas: replicas.clone(),
                history: History::default(),
                server: world.server.clone(),
                seed: plan.seed,
            },
            director: Director { replicas, world },
        }
    }

    async fn play(self, request: Option<u64>) -> Report {
        for replica in &self.director.replicas {
            replica.start();
        }
        for fault in &self.plan.faults {
            spawn_local(self.director.clone().play(*fault));
        }
        for call in &self.plan.calls {
            sleep_until(self.after(call.at)).await;
            spawn_local(self.client.clone().make(*call));
        }
        sleep_until(self.after(self.plan.healed_at().max(LOAD) + 1)).await;
        self.director.heal();
        self.settle().await;
        self.judge(request)
    }

    /// Waits until nothing is owed any more, or for as long as that may take. A few clients go on calling: without others'
    /// successes recovery has no evidence that a refusal is the request's own.
    async fn settle(&self) {
        // Clients ask again for a while, and each of them is told something within the bound.
        sleep(self.worst_case() * 3).await;
        let (until, last) = (Instant::now() + SETTLES_WITHIN, self.client.history.asked());
        while Instant::now() < until && !self.is_quiet(last, |_| 0) {
            // The operator finds only those in the journals: an entry that is refused holds nobody else back.
            if self.is_quiet(last, |held| held.quarantined) {
                self.director.drop_trigger();
            }
            for replica in 0..self.plan.replicas {
                self.client.history.pass_over(is_unlucky);
                spawn_local(self.client.clone().make(Call::plain(replica)));
                // It has asked before the next one looks.
                yield_now().await;
            }
            sleep(Duration::from_secs(1)).await;
        }
        while Instant::now() < until + SETTLES_WITHIN / 10 && !self.is_quiet(u64::MAX, |_| 0) {
            sleep(Duration::from_secs(1)).await;
        }
        // What ended just now lets go of what it held.
        sleep(Duration::from_secs(5)).await;
    }

    /// Whether nothing is owed of what was asked for by the first `last` calls, but for so many entries of each journal.
    fn is_quiet(&self, last: u64, but_for: impl Fn(&Held) -> u64) -> bool {
        let held = |replica: &Replica| replica.life().map(|life| life.held());
        let mut held = self.director.replicas.iter().filter_map(held);
        let is_owed = |(_, id)| number(id) <= last;
        let is_owed = |tables: &Tables| tables.free_from(i64::MIN).any(is_owed);
        !self.director.world.server.look(is_owed)
            && held.all(|held| held.entries == but_for(&held) && held.journal_is_open)
    }

    fn judge(&self, request: Option<u64>) -> Report {
        let Surroundings {
            server,
            worker,
            trace,
            ..
        } = &self.director.world;
        let lives = self.director.replicas.iter().filter_map(Replica::life);
        let held: Vec<_> = lives.map(|life| life.held()).collect();
        let lost = server.lost();
        let history = &self.client.history;
        let mut violation = history.violation();
        if violation.is_none() {
            violation = history.look(|told| {
                server.look(|tables| {
                    let run = Run {
                        plan: self.plan,
                        told,
                        tables,
                        lost: &lost,
                        held: &held,
                        trace,
                        ended_at: trace.now(),
                        worst_case: self.worst_case(),
                        answered_at: &|answer| worker.answered_at(answer),
                    };
                    CHECKS.iter().find_map(|check| check(&run))
                })
            });
        }
        let request = request.or(violation.as_ref().map(|it| it.request));
        Report {
            hash: trace.hash(),
            evidence: request.map(|it| trace.of(it)).unwrap_or_default(),
            violation,
            calls: history.asked(),
            events: trace.count(),
        }
    }

    fn after(&self, millis: u64) -> Instant {
        self.director.world.start + Duration::from_millis(millis)
    }

    fn worst_case(&self) -> Duration {
        self.director.world.policies.worst_case()
    }
}
