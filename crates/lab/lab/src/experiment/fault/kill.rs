//! Kill: SIGKILL. What was in its memory is gone, its port refuses.

use super::super::look::Look;
use super::super::plan::Target;
use super::super::scene::Scene;
use super::super::trial::Sight;
use super::{PATIENCE, sight};
use crate::error::LabError;

pub(super) async fn put(target: Target, scene: &Scene) -> Result<(), LabError> {
    scene.kill(target).await
}

pub(super) async fn look(target: Target, scene: &Scene) -> Sight {
    let look = scene.look(target, PATIENCE).await;
    // Where it has a name, a resolver may take its time to say that it leads nowhere.
    sight(matches!(look, Look::Refused | Look::NoConnection), &look)
}

pub(super) async fn end(target: Target, scene: &Scene) -> Result<(), LabError> {
    scene.start(target).await
}
