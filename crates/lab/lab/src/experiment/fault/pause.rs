//! Pause: every process of it stopped, its port open. The silent failure.

use super::super::look::Look;
use super::super::plan::Target;
use super::super::scene::Scene;
use super::super::trial::Sight;
use super::{PATIENCE, sight};
use crate::error::LabError;

pub(super) async fn put(target: Target, scene: &Scene) -> Result<(), LabError> {
    scene.pause(target).await
}

pub(super) async fn look(target: Target, scene: &Scene) -> Sight {
    let look = scene.look(target, PATIENCE).await;
    sight(look == Look::Silent, &look)
}

pub(super) async fn end(target: Target, scene: &Scene) -> Result<(), LabError> {
    scene.resume(target).await
}
