//! Faults of a whole node: an API, a worker, and the primary of Postgres at once.

use std::time::Duration;

use holdfast_system::error::SystemError;

use crate::plan::Kind;
use crate::scene::Scene;
use crate::stage::NodeAction;

/// An engine, a Swarm that takes the node back, and containers.
pub(super) const HEALED_WITHIN: Duration = Duration::from_secs(90);

pub(super) async fn put(kind: Kind, scene: &Scene) -> Result<(), SystemError> {
    scene.act_on_node(actions(kind).0).await
}

pub(super) async fn end(kind: Kind, scene: &Scene) -> Result<(), SystemError> {
    scene.act_on_node(actions(kind).1).await
}

/// What begins it, and what ends it.
fn actions(kind: Kind) -> (NodeAction, NodeAction) {
    match kind {
        Kind::Partition => (NodeAction::Cut, NodeAction::Mend),
        Kind::Drain => (NodeAction::Drain, NodeAction::Activate),
        // The schema lets no other be.
        _ => (NodeAction::Kill, NodeAction::Start),
    }
}
