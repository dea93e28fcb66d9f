//! The system as a Swarm: the stack of the stage on three nodes of the experiments' own. Both outlive a trial: the next one that is
//! told the same begins on the stack of the last, with new processes and empty tables, which takes a fraction of the time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::backend::{leave_logs, lock, logs_into, not_started, temporary, told};
use super::start::free;
use super::{Runtime, System, SystemSpec};
use crate::database::Database;
use crate::error::SystemError;
use crate::output::Console;
use crate::plan::Target;
use crate::ports;
use crate::probe::Probe;
use crate::settings::{Ports, Settings};
use crate::settle::settle;
use crate::stage::{API, Node, NodeAction, Service, Swarm};
use crate::wait::Patience;

/// The lock on them: this machine has the experiments' nodes once, whichever checkout they are made from.
const LOCK: &str = "/run/lock/holdfast-swarm";

/// A journal that is not empty by then is not going to be.
const SETTLED: Duration = Duration::from_secs(10);
const LED: Patience = Patience::new(Duration::from_secs(10), Duration::from_millis(250));
/// All tables, whatever migrations have added, but for the list of these.
const EMPTY_TABLES: &str =
    "DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ')
    FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'); END $$";

/// The nodes, and the right to use them.
#[derive(Debug)]
pub struct Machines {
    pub(super) swarm: Swarm,
    stack: Mutex<Option<Stack>>,
    /// Without a word.
    console: Console,
    _lock: File,
}

/// A stack that is deployed, and what tells it from another.
#[derive(Debug)]
struct Stack {
    swarm: Swarm,
    policies: String,
    worker: [(&'static str, String); 3],
}

pub(super) async fn prepare(
    settings: &Settings,
    console: Console,
) -> Result<Machines, SystemError> {
    let lock = lock(Path::new(LOCK))?;
    let (api, worker, db) = (free()?, free()?, free()?);
    let ports = Ports { api, worker, db };
    let swarm = Swarm::of_its_own(ports, settings, console.quietly());
    // What a killed run has left is in the way of this one.
    swarm.down().await?;
    console.say("three nodes, and the images for them, which takes minutes the first time");
    if let Err(error) = swarm.make_nodes().await {
        // Some of them may be on already; what stays nevertheless, the next run ends.
        drop(swarm.down().await);
        return Err(error);
    }
    Ok(Machines {
        swarm,
        stack: Mutex::default(),
        console: console.quietly(),
        _lock: lock,
    })
}

pub(super) async fn end_stale(settings: &Settings, console: Console) -> Result<(), SystemError> {
    let _lock = lock(Path::new(LOCK))?;
    let swarm = Swarm::of_its_own(settings.ports, settings, console.quietly());
    swarm.down().await.map(drop)
}

impl Machines {
    /// The system, on the stack that is there if it is told the same, else on one of its own.
    pub(super) async fn raise(&self, spec: &SystemSpec) -> Result<Nodes, SystemError> {
        let (policies, worker) = (spec.policies().to_owned(), spec.worker.variables());
        let mut deployed = self.stack.lock().await;
        if let Some(stack) = deployed.take() {
            let same = stack.policies == policies && stack.worker == worker;
            if same && renew(&stack.swarm, self.console).await.is_ok() {
                let nodes = Nodes::on(stack.swarm.clone());
                *deployed = Some(stack);
                return Ok(nodes);
            }
            stack.swarm.withdraw().await?;
        }
        let told = told(spec, &self.swarm.nodes.folder())?;
        let nodes = Nodes::on(self.swarm.with_variables(told));
        if let Err(error) = nodes.swarm.deploy(Instant::now()).await {
            // Before it is withdrawn: with the stack its logs go.
            let left = nodes.keep().await;
            return Err(not_started(error, left, nodes.swarm.withdraw().await));
        }
        *deployed = Some(Stack {
            swarm: nodes.swarm.clone(),
            policies,
            worker,
        });
        Ok(nodes)
    }
}

/// Makes the stack as good as new: all nodes take part, API and worker are other processes, journals and tables are empty.
async fn renew(swarm: &Swarm, console: Console) -> Result<(), SystemError> {
    swarm.make_whole().await?;
    let owed = settle(&swarm.apis(), SETTLED, console).await;
    if !owed.is_empty() {
        return Err(SystemError::NotRolledBack(owed));
    }
    tokio::try_join!(swarm.kill(Service::Api), swarm.kill(Service::Worker))?;
    swarm.until_followed(Instant::now()).await?;
    empty_tables(swarm).await?;
    tokio::try_join!(swarm.start(Service::Api), swarm.start(Service::Worker))?;
    Ok(())
}

/// Through the balancer, which hears of a new primary a moment after it leads.
async fn empty_tables(swarm: &Swarm) -> Result<(), SystemError> {
    let database = Database::on(swarm.nodes.ports.db);
    let mut wait = LED.begin();
    loop {
        let emptied = database.query(EMPTY_TABLES).await;
        if emptied.is_ok() || wait.is_over().await {
            return emptied.map(drop);
        }
    }
}

impl System {
    /// Whether this target is a machine, with all that runs on it.
    pub fn is_node(&self, target: Target) -> bool {
        let of_several = matches!(self.runtime, Runtime::Nodes(_));
        target == Target::Node || of_several && matches!(target, Target::Replica(_))
    }

    /// Does this to a node: the one that a replica runs on, else the one that Postgres' primary was on when it all began.
    pub async fn act_on_node(&self, target: Target, action: NodeAction) -> Result<(), SystemError> {
        match &self.runtime {
            Runtime::Nodes(nodes) => nodes.act_on(target, action).await,
            Runtime::Processes(_) | Runtime::Containers(_) => Err(SystemError::NotSeveral),
        }
    }

    /// Has all machines on, reached and taking tasks, and waits until they are whole; nothing where there is but one.
    pub async fn make_whole(&self) -> Result<(), SystemError> {
        if let Runtime::Nodes(nodes) = &self.runtime {
            nodes.swarm.make_whole().await?;
        }
        self.until_whole().await
    }

    /// Waits until Postgres leads on one machine and is followed by the others; nothing where there is but one.
    pub async fn until_whole(&self) -> Result<(), SystemError> {
        match &self.runtime {
            Runtime::Nodes(nodes) => nodes.swarm.until_followed(Instant::now()).await,
            Runtime::Processes(_) | Runtime::Containers(_) => Ok(()),
        }
    }

    /// Writes what the services have logged into `folder`, unless they have written it there themselves.
    pub async fn leave_logs(&mut self, folder: &Path) -> Result<(), SystemError> {
        match &self.runtime {
            Runtime::Nodes(nodes) => {
                let swarm = &nodes.swarm;
                logs_into(folder, async |it| swarm.printed(it).await).await
            }
            Runtime::Processes(_) | Runtime::Containers(_) => self.keep().await.map(drop),
        }
    }
}

/// It stays when a trial is over; what is deployed ends with [`super::Backend::leave`].
#[derive(Debug)]
pub(super) struct Nodes {
    pub(super) swarm: Swarm,
    /// The node that is broken: it stays the same, wherever the primary goes meanwhile.
    target: OnceLock<Node>,
}

impl Nodes {
    fn on(swarm: Swarm) -> Self {
        Self {
            swarm,
            target: OnceLock::new(),
        }
    }

    /// A node by its API; all else through the balancer.
    pub(super) async fn probe(&self, target: Target, patience: Duration) -> Probe {
        let Ports { api, worker, db } = self.swarm.nodes.ports;
        let balanced = |port| Some(ports::loopback(port).to_string());
        let address = match target {
            Target::Worker => balanced(worker),
            Target::Database | Target::Standby => balanced(db),
            Target::Api => balanced(api),
            Target::Node | Target::Replica(_) => {
                let node = self.node_of(target);
                node.map(|node| self.swarm.nodes.at(node, API))
            }
        };
        match address {
            Some(address) => Probe::at(target, &address, patience).await,
            None => Probe::Refused,
        }
    }

    pub(super) async fn act_on(
        &self,
        target: Target,
        action: NodeAction,
    ) -> Result<(), SystemError> {
        let node = match self.node_of(target) {
            Some(node) => node,
            None => {
                let primary = self.swarm.primary().await;
                let none = SystemError::CannotBreak("no node of Postgres leads");
                let primary = primary.ok_or(none)?;
                *self.target.get_or_init(|| primary)
            }
        };
        self.swarm.act_on(node, action).await
    }

    /// A replica's, for they are counted alike; else the one that is broken, if one is.
    fn node_of(&self, target: Target) -> Option<Node> {
        match target {
            Target::Replica(number) => Node::try_from(number).ok(),
            _ => self.target.get().copied(),
        }
    }

    pub(super) async fn keep(&self) -> Result<PathBuf, SystemError> {
        let swarm = &self.swarm;
        leave_logs(&mut temporary()?, async |it| swarm.printed(it).await).await
    }
}
