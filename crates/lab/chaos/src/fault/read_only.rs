//! Read only: Postgres takes no writes, as a standby does that was not promoted.

use super::session::Session;
use super::{PATIENCE, sight};
use crate::error::ChaosError;
use crate::look::Look;
use crate::plan::Target;
use crate::scene::Scene;
use crate::trial::Sight;

/// SQLSTATE `read_only_sql_transaction`.
const READ_ONLY: &str = "25006";

pub(super) async fn put(scene: &Scene) -> Result<(), ChaosError> {
    set(scene, "ALTER SYSTEM SET default_transaction_read_only = on").await
}

pub(super) async fn look(scene: &Scene) -> Sight {
    let look = scene.look_past_the_wire(Target::Database, PATIENCE).await;
    let read_only = matches!(&look, Look::Error { code } if code == READ_ONLY);
    sight(read_only, &look)
}

pub(super) async fn end(scene: &Scene) -> Result<(), ChaosError> {
    set(scene, "ALTER SYSTEM RESET default_transaction_read_only").await
}

/// Sessions that are open follow when the configuration is read again.
async fn set(scene: &Scene, what: &str) -> Result<(), ChaosError> {
    let session = Session::open(scene.database_port()).await?;
    for sql in [what, "SELECT pg_reload_conf()"] {
        session.run(sql).await?;
    }
    Ok(())
}
