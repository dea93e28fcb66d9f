//! Lock: somebody else holds the table of requests, as a careless migration does. Statements wait; Postgres itself is well.

use super::session::Session;
use super::{PATIENCE, sight};
use crate::error::ChaosError;
use crate::look::Look;
use crate::plan::Target;
use crate::scene::Scene;
use crate::trial::Sight;

/// The look gives up on a lock after a tenth of a second: SQLSTATE `lock_not_available`.
const NOT_AVAILABLE: &str = "55P03";

pub(super) async fn put(scene: &Scene, held: &mut Vec<Session>) -> Result<(), ChaosError> {
    let session = Session::open(scene.database_port()).await?;
    let lock = "BEGIN; LOCK TABLE requests IN ACCESS EXCLUSIVE MODE;";
    session.run(lock).await?;
    held.push(session);
    Ok(())
}

pub(super) async fn look(scene: &Scene) -> Sight {
    let look = scene.look_past_the_wire(Target::Database, PATIENCE).await;
    let locked = matches!(&look, Look::Error { code } if code == NOT_AVAILABLE);
    sight(locked, &look)
}
