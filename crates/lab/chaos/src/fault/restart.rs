//! Restart: killed and started again at once, as a supervisor does. Over when it is ready.

use tokio::time::Instant;

use super::kill;
use crate::error::ChaosError;
use crate::plan::Target;
use crate::scene::Scene;
use crate::trial::Sight;

pub(super) async fn put(target: Target, scene: &Scene) -> Result<Sight, ChaosError> {
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
