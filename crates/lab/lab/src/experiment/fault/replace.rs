//! Replace: another worker under the same name, at another address, as an orchestrator moves it. Over when it is there.

use super::super::scene::Scene;
use super::super::trial::Sight;
use crate::error::LabError;

pub(super) async fn put(scene: &Scene) -> Result<Sight, LabError> {
    let (from, to) = scene.replace_worker().await?;
    Ok(Sight {
        holds: from != to && !to.is_empty(),
        seen: format!("its name led to {from} and leads to {to}"),
    })
}
