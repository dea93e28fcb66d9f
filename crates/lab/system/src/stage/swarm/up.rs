//! Bringing it up: images, nodes, stack, health.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::Swarm;
use crate::error::SystemError;
use crate::stage::images::Image;
use crate::stage::{Service, healthy, images, port, stop_signals, tell, unless_interrupted, well};
use crate::wait::Patience;

const ENDED: Patience = Patience::new(Duration::from_secs(60), Duration::from_millis(500));
const IMAGES: [Image; 3] = [images::API, images::WORKER, images::PATRONI];
const LOG_LINES: &str = "10";
/// What the stack is given beside the policies: `configs` of `deploy/stack.yml`.
const FILES: [&str; 5] = [
    "deploy/swarm/patroni.yml",
    "deploy/swarm/bootstrap.sh",
    "db/init.sql",
    "db/stage-login.sql",
    "db/rights.sql",
];

impl Swarm {
    /// Builds the images, starts the nodes that are off, deploys the stack and waits until all of it is healthy. Volumes that
    /// are there are kept. Interrupted, it takes down what it made.
    pub async fn up(&self) -> Result<(), SystemError> {
        let held_data = self.nodes.are_made();
        let result = unless_interrupted(stop_signals()?, self.bring_up()).await;
        if matches!(result, Err(SystemError::Interrupted)) && !held_data {
            self.down().await?;
        }
        result
    }

    async fn bring_up(&self) -> Result<(), SystemError> {
        if !self.is_up().await? {
            for (_, number, variable) in self.nodes.ports.named() {
                port::check_free(number, variable)?;
            }
        }
        let start = Instant::now();
        self.make_nodes().await?;
        self.make_whole().await?;
        self.deploy(start).await
    }

    /// All nodes are on and reached, and take tasks, also one that was drained by hand.
    pub async fn make_whole(&self) -> Result<(), SystemError> {
        self.nodes.script(&["up"]).await?;
        for node in Self::NODES {
            self.nodes.drain(node, false).await?;
        }
        Ok(())
    }

    /// Builds the images, starts the nodes that are off and gives the images to all.
    pub async fn make_nodes(&self) -> Result<(), SystemError> {
        images::build(&IMAGES, &self.nodes.root, self.console).await?;
        let names = IMAGES.map(|image| image.name);
        self.nodes.script(&[&["up"][..], &names].concat()).await?;
        let what = "  nodes 1, 2 and 3 are on, and have the images";
        self.console.say(what);
        Ok(())
    }

    /// Deploys the stack and waits until all of it is healthy; what it says counts from `since`.
    pub async fn deploy(&self, since: Instant) -> Result<(), SystemError> {
        self.with_versions()?.nodes.deploy().await?;
        self.until_healthy(&Service::ALL, since).await?;
        self.until_followed(since).await
    }

    /// Ends the stack, without its volumes: another one has others.
    pub async fn withdraw(&self) -> Result<(), SystemError> {
        // All nodes, so that none has tasks left.
        self.nodes.script(&["up"]).await?;
        let rm = ["stack", "rm", &self.nodes.stack];
        self.nodes.manage(&rm).await?;
        let mut wait = ENDED.begin();
        while !self.nodes.containers().await?.is_empty() {
            if wait.is_over().await {
                let left = "the stack's tasks do not end".to_owned();
                return Err(SystemError::NotRolledBack(vec![left]));
            }
        }
        Ok(())
    }

    /// Waits until one node of Postgres leads, both others follow, one of them synchronously, and Swarm has nothing left to do:
    /// before that a node that dies may take all with it.
    pub async fn until_followed(&self, since: Instant) -> Result<(), SystemError> {
        let mut wait = healthy::PATIENCE.begin();
        loop {
            let primary = self.primary().await;
            let standbys = self.saying_yes("/replica").await.len();
            let synchronous = self.saying_yes("/synchronous").await.len();
            // A Swarm that has just got a node back may have no leader for a moment: then it is not asked, but waited for.
            let settled = self.nodes.are_settled().await.unwrap_or(false);
            if let Some(node) = primary
                && standbys == Self::NODES.len() - 1
                && synchronous > 0
                && settled
            {
                let seconds = since.elapsed().as_secs_f64();
                self.console.say(format_args!(
                    "  postgres leads on node {node}, with two standbys, after {seconds:.1} s"
                ));
                return Ok(());
            }
            if wait.is_over().await {
                let leads = primary.map_or("no", |_| "a");
                let swarm = match settled {
                    true => "",
                    false => ", and Swarm is not done",
                };
                let problem = format!(
                    "has {leads} primary and {standbys} of 2 standbys, {synchronous} of them synchronous{swarm}"
                );
                return Err(self.unhealthy(Service::Db, problem).await);
            }
        }
    }

    /// Swarm changes no file that it has been given: one with other words is another.
    fn with_versions(&self) -> Result<Self, SystemError> {
        let variables = &self.nodes.variables;
        let named = variables.get("HOLDFAST_POLICIES").map(PathBuf::from);
        let root = &self.nodes.root;
        let path = named.unwrap_or_else(|| root.join("deploy/policies.toml"));
        let files: Vec<PathBuf> = FILES.iter().map(|file| root.join(file)).collect();
        let versions = [
            ("POLICIES_VERSION", version(&[path])?),
            ("FILES_VERSION", version(&files)?),
        ];
        let mut stage = self.clone();
        let named = versions.map(|(name, version)| (name.to_owned(), version));
        stage.nodes.variables.extend(named);
        Ok(stage)
    }

    /// Waits until all of these are healthy; says of each when it is.
    pub(super) async fn until_healthy(
        &self,
        services: &[Service],
        since: Instant,
    ) -> Result<(), SystemError> {
        let all = "healthy, all three";
        let told = |service| tell(self.console, service, well(self.console, all, since));
        match healthy::until_healthy(services, || self.conditions(), told).await? {
            Ok(()) => Ok(()),
            Err((service, problem)) => Err(self.unhealthy(service, problem).await),
        }
    }

    /// What all that are of the service have logged so far.
    pub async fn printed(&self, service: Service) -> Result<String, SystemError> {
        // Of each engine: Swarm's own collection gives up where a manager does not reach a node.
        let mut printed = String::new();
        for node in self.nodes.alive().await? {
            for id in self.nodes.all_of(node, service).await? {
                printed += &self.nodes.docker(node, &["logs", &id]).await?;
            }
        }
        Ok(printed)
    }

    pub(super) async fn unhealthy(&self, service: Service, problem: String) -> SystemError {
        let mut log = String::new();
        for node in self.nodes.alive().await.unwrap_or_default() {
            let all = self.nodes.all_of(node, service).await.unwrap_or_default();
            if let Some(latest) = all.first() {
                let logs = ["logs", "--tail", LOG_LINES, latest];
                log += &self.nodes.docker(node, &logs).await.unwrap_or_default();
            }
        }
        SystemError::unhealthy(service, problem, &log)
    }
}

/// What tells the words of these files from any others.
fn version(files: &[PathBuf]) -> Result<String, SystemError> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let words = std::fs::read(file).map_err(SystemError::file("read", file))?;
        words.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}
