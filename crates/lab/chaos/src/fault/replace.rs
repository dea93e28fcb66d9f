//! Replace: another worker under the same name, at another address, as an orchestrator moves it. Over when it is there.

use crate::error::ChaosError;
use crate::scene::Scene;
use crate::trial::Sight;

pub(super) async fn put(scene: &Scene) -> Result<Sight, ChaosError> {
    let (from, to) = scene.replace_worker().await?;
    Ok(Sight {
        holds: from != to && !to.is_empty(),
        seen: format!("its name led to {from} and leads to {to}"),
    })
}
