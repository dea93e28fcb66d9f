//! Kill: SIGKILL. What was in its memory is gone, its port refuses.

use holdfast_system::error::SystemError;

use super::{PATIENCE, sight};

use crate::look::Look;
use crate::plan::Target;
use crate::scene::Scene;
use crate::trial::Sight;

pub(super) async fn put(target: Target, scene: &Scene) -> Result<(), SystemError> {
    scene.kill(target).await
}

pub(super) async fn look(target: Target, scene: &Scene) -> Sight {
    let look = scene.look(target, PATIENCE).await;
    // Where it has a name, a resolver may take its time to say that it leads nowhere.
    sight(matches!(look, Look::Refused | Look::NoConnection), &look)
}

pub(super) async fn end(target: Target, scene: &Scene) -> Result<(), SystemError> {
    scene.start(target).await
}
