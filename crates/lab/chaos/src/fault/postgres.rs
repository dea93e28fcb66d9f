//! What somebody else does to Postgres, by sessions of their own at Postgres itself, past any link. They end with these, and
//! with the process.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::Client;

use super::observation;
use crate::error::SystemError;
use crate::postgres;
use crate::system::{Part, System};
use crate::trial::Observation;

/// SQLSTATE `too_many_connections`.
pub(super) const TOO_MANY: &str = "53300";
/// SQLSTATE `lock_not_available`: the probe gives up on a lock after a tenth of a second.
pub(super) const NOT_AVAILABLE: &str = "55P03";
/// SQLSTATE `read_only_sql_transaction`.
pub(super) const READ_ONLY: &str = "25006";

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

/// Rows of calls under way, with their keys. Nobody was promised anything of them yet: what a replica has answered, and the
/// primary had confirmed, is outside the promise where a failover loses it.
const LOSE: &str = "WITH lost AS (
        DELETE FROM requests WHERE id IN (
            SELECT id FROM requests WHERE origin = 'resilient' AND status = 'received' AND lease_until > now()
                AND received_at > now() - interval '250 ms'
            FOR UPDATE SKIP LOCKED
        ) RETURNING id
    ), keys AS (DELETE FROM idempotency_keys USING lost WHERE request_id = lost.id)
    SELECT FROM lost";

/// Holds the table of requests, as a careless migration does. Statements wait; Postgres itself is well.
pub(super) async fn lock(system: &System) -> Result<Client, SystemError> {
    let session = session(system).await?;
    let lock = "BEGIN; LOCK TABLE requests IN ACCESS EXCLUSIVE MODE;";
    session.batch_execute(lock).await?;
    Ok(session)
}

/// Whether Postgres takes no writes, as a standby that was not promoted. Sessions that are open follow when the configuration
/// is read again.
pub(super) async fn set_read_only(system: &System, read_only: bool) -> Result<(), SystemError> {
    let session = session(system).await?;
    let set = match read_only {
        true => "ALTER SYSTEM SET default_transaction_read_only = on",
        false => "ALTER SYSTEM RESET default_transaction_read_only",
    };
    for sql in [set, "SELECT pg_reload_conf()"] {
        session.batch_execute(sql).await?;
    }
    Ok(())
}

/// Ends all sessions, and takes back what was recorded last, as if a standby had taken over that had not heard of it.
pub(super) async fn fail_over(system: &System) -> Result<Observation, SystemError> {
    let session = session(system).await?;
    let lost = session.query(LOSE, &[]).await?.len();
    let ended = session.query(END_THE_OTHERS, &[]).await?.len();
    let seen = format_args!("{ended} sessions have ended, {lost} rows of calls under way are gone");
    Ok(observation(true, seen))
}

/// Takes all connections, as other clients do that were quicker after a failover. New ones are refused.
pub(super) async fn take_connections(system: &System) -> Result<Vec<Client>, SystemError> {
    let mut held = Vec::new();
    take_all(system, &mut held).await?;
    let Some(first) = held.first() else {
        return Ok(held);
    };
    let all = first.query(EACH_PLACE, &[]).await?.len();
    // Others are quick to take back what they had, and one session that is left to them may do for all they write. Even who is
    // about to be refused has a place until then: there is nobody to end, and yet none to take.
    for _ in 0..ROUNDS {
        let Some(first) = held.first().filter(|_| held.len() < all) else {
            break;
        };
        if first.query(END_THE_OTHERS, &[]).await?.is_empty() {
            sleep(PAUSE).await;
        }
        take_all(system, &mut held).await?;
    }
    Ok(held)
}

async fn take_all(system: &System, held: &mut Vec<Client>) -> Result<(), SystemError> {
    let url = postgres::url(system.port(Part::Db)?);
    while held.len() < MOST {
        match postgres::session(&url).await {
            Ok(session) => {
                let name = "SET application_name = 'holdfast-fault'";
                session.batch_execute(name).await?;
                held.push(session);
            }
            Err(error) if error.code().is_some_and(|code| code.code() == TOO_MANY) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// With Postgres itself, past any link.
async fn session(system: &System) -> Result<Client, SystemError> {
    let url = postgres::url(system.port(Part::Db)?);
    Ok(postgres::session(&url).await?)
}
