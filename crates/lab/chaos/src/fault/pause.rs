//! Pause: every process of it stopped, its port open. The silent failure.

use holdfast_system::error::SystemError;

use super::{PATIENCE, sight};

use crate::look::Look;
use crate::plan::Target;
use crate::scene::Scene;
use crate::trial::Sight;

pub(super) async fn put(target: Target, scene: &Scene) -> Result<(), SystemError> {
    scene.pause(target).await
}

pub(super) async fn look(target: Target, scene: &Scene) -> Sight {
    let look = scene.look(target, PATIENCE).await;
    sight(look == Look::Silent, &look)
}

pub(super) async fn end(target: Target, scene: &Scene) -> Result<(), SystemError> {
    scene.resume(target).await
}
