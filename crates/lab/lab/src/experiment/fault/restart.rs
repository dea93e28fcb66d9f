//! Restart: killed and started again at once, as a supervisor does. Over when it is ready.

use tokio::time::Instant;

use super::super::plan::Target;
use super::super::scene::Scene;
use super::super::trial::Sight;
use super::kill;
use crate::error::LabError;

pub(super) async fn put(target: Target, scene: &Scene) -> Result<Sight, LabError> {
    scene.kill(target).await?;
    let dead = kill::look(target, scene).await;
    let start = Instant::now();
    scene.start(target).await?;
    let milliseconds = start.elapsed().as_millis();
    Ok(Sight {
        holds: dead.holds,
        seen: format!("{}, and it is back after {milliseconds} ms", dead.seen),
    })
}
