//! Connections: somebody else has them all, as after a failover, when other clients were quicker. New ones are refused.

use std::time::Duration;

use tokio::time::sleep;

use super::session::Session;
use super::{PATIENCE, sight};
use crate::error::ChaosError;
use crate::look::Look;
use crate::plan::Target;
use crate::scene::Scene;
use crate::trial::Sight;

/// SQLSTATE `too_many_connections`.
const TOO_MANY: &str = "53300";
/// More than Postgres grants by default.
const MOST: usize = 120;
const ROUNDS: usize = 200;
const PAUSE: Duration = Duration::from_millis(5);
/// A row for each session that Postgres grants, to its superuser at least.
const EACH_PLACE: &str =
    "SELECT FROM generate_series(1, current_setting('max_connections')::integer)";
/// A row for each that was there, but for our own.
const END_THE_OTHERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> 'holdfast-fault'";

pub(super) async fn put(scene: &Scene, held: &mut Vec<Session>) -> Result<(), ChaosError> {
    take_all(scene, held).await?;
    let Some(first) = held.first() else {
        return Ok(());
    };
    let all = first.rows(EACH_PLACE).await?;
    // Others are quick to take back what they had, and one session that is left to them may do for all they write. Even who is
    // about to be refused has a place until then: there is nobody to end, and yet none to take.
    for _ in 0..ROUNDS {
        let Some(first) = held.first().filter(|_| held.len() < all) else {
            break;
        };
        if first.rows(END_THE_OTHERS).await? == 0 {
            sleep(PAUSE).await;
        }
        take_all(scene, held).await?;
    }
    Ok(())
}

pub(super) async fn look(scene: &Scene) -> Sight {
    let look = scene.look_past_the_wire(Target::Database, PATIENCE).await;
    let taken = matches!(&look, Look::Error { code } if code == TOO_MANY);
    sight(taken, &look)
}

async fn take_all(scene: &Scene, held: &mut Vec<Session>) -> Result<(), ChaosError> {
    while held.len() < MOST {
        match Session::open(scene.database_port()).await {
            Ok(session) => {
                let name = "SET application_name = 'holdfast-fault'";
                session.run(name).await?;
                held.push(session);
            }
            Err(error) if error.code().is_some_and(|code| code.code() == TOO_MANY) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
