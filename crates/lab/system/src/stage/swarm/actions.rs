//! Breaking and healing: all three of a service, or one node. Each returns when the state is reached.

use std::time::Duration;

use clap::ValueEnum;
use futures_util::future::try_join_all;
use strum::IntoStaticStr;
use tokio::time::Instant;

use super::{Node, Swarm};
use crate::error::SystemError;
use crate::stage::{Service, tell};
use crate::wait::Patience;

/// Longer than the longest `stop_grace_period` of the stack.
const REACHED: Patience = Patience::new(Duration::from_secs(45), Duration::from_millis(200));
/// A label that no node has: what asks for it runs nowhere.
const NOWHERE: &str = "node.labels.holdfast.node==nowhere";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum NodeAction {
    /// SIGKILL for all that runs on it: a power cut
    Kill,
    /// On again, with its disk
    Start,
    /// Its cable is out: all on it lives, and nobody hears of it
    Cut,
    /// Its cable is in again
    Mend,
    /// Its tasks end in order, and none are given to it
    Drain,
    /// It is given tasks again
    Activate,
}

impl Swarm {
    /// Kills all tasks of the service (SIGKILL), and has Swarm start no others. Dead ones are fine.
    pub async fn kill(&self, service: Service) -> Result<(), SystemError> {
        let running = self.running(service).await?;
        // First, and before Swarm gets to know: otherwise it would ask them to end.
        try_join_all(
            running
                .iter()
                .map(|(node, id)| async move { self.nodes.docker(*node, &["kill", id]).await }),
        )
        .await?;
        self.update(service, &["--constraint-add", NOWHERE]).await?;
        self.until_none(service).await?;
        let what = match running.len() {
            0 => "was dead already".to_owned(),
            number => format!("killed, {number} of them"),
        };
        tell(self.console, service, what);
        Ok(())
    }

    /// Has Swarm start the service's tasks on the data they had; returns when all are healthy.
    pub async fn start(&self, service: Service) -> Result<(), SystemError> {
        let conditions = self.conditions().await?;
        let mut conditions = conditions.iter();
        let was_well = conditions.any(|(it, how)| *it == service && how.is_healthy());
        let since = Instant::now();
        self.update(service, &["--constraint-rm", NOWHERE]).await?;
        if was_well {
            tell(self.console, service, "was running already");
            return Ok(());
        }
        self.until_healthy(&[service], since).await
    }

    /// Sends all APIs the signal at which they read their policy file again.
    pub(in crate::stage) async fn hang_up(&self) -> Result<(), SystemError> {
        for (node, id) in self.running(Service::Api).await? {
            let hang_up = ["kill", "--signal=HUP", &id];
            self.nodes.docker(node, &hang_up).await?;
        }
        Ok(())
    }

    /// Does this to a node; says what came of it.
    pub async fn act_on(&self, node: Node, action: NodeAction) -> Result<(), SystemError> {
        if !self.nodes.are_made() {
            return Err(SystemError::NotUp);
        }
        match action {
            NodeAction::Drain => {
                self.nodes.drain(node, true).await?;
                self.until_empty(node).await?;
            }
            NodeAction::Activate => self.nodes.drain(node, false).await?,
            NodeAction::Kill | NodeAction::Start | NodeAction::Cut | NodeAction::Mend => {
                let script = [action.into(), &*node.to_string()];
                self.nodes.script(&script).await?;
            }
        }
        let what = match action {
            NodeAction::Kill => "is off: all that ran on it is gone",
            NodeAction::Start => "is on",
            NodeAction::Cut => "is cut off: all on it lives, and nobody hears of it",
            NodeAction::Mend => "is reached again",
            NodeAction::Drain => "is drained: nothing runs on it",
            NodeAction::Activate => "takes tasks again",
        };
        self.console.say(format_args!("  node {node} {what}"));
        Ok(())
    }

    async fn running(&self, service: Service) -> Result<Vec<(Node, String)>, SystemError> {
        if !self.is_up().await? {
            return Err(SystemError::NotUp);
        }
        let all = self.nodes.containers().await?.into_iter();
        let own = all.filter(|(_, it)| it.service == service && it.is_alive());
        Ok(own.map(|(node, it)| (node, it.id)).collect())
    }

    async fn update(&self, service: Service, change: &[&str]) -> Result<(), SystemError> {
        let services = self.nodes.services(service).await?;
        try_join_all(services.iter().map(|name| async move {
            let update = ["service", "update", "--detach", "--quiet"];
            let update = [&update[..], change, &[name]].concat();
            self.nodes.manage(&update).await
        }))
        .await
        .map(drop)
    }

    async fn until_empty(&self, node: Node) -> Result<(), SystemError> {
        let mut wait = REACHED.begin();
        let all = async || self.nodes.containers().await;
        while all().await?.iter().any(|(its, _)| *its == node) {
            if wait.is_over().await {
                let left = format!("what runs on node {node} does not end");
                return Err(SystemError::NotRolledBack(vec![left]));
            }
        }
        Ok(())
    }

    async fn until_none(&self, service: Service) -> Result<(), SystemError> {
        let mut wait = REACHED.begin();
        while !self.running(service).await?.is_empty() {
            if wait.is_over().await {
                return Err(self.unhealthy(service, "does not die".to_owned()).await);
            }
        }
        Ok(())
    }
}
