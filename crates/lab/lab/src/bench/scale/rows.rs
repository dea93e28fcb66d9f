//! What rows that are there already cost new calls: open requests, and done ones.

use tokio_postgres::NoTls;

use super::{Bench, CALLERS, OPEN_WORK};
use crate::error::LabError;
use crate::postgres;
use crate::system::{ApiSpec, Part, System};

/// Ids that rise as those of the API do, from before all of them. `$1`: rows that are there, `$2`: rows to be there.
const OPEN: &str = "INSERT INTO requests (id, origin) \
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'resilient' \
    FROM generate_series($1::bigint + 1, $2::bigint) AS n";
const DONE: &str = "INSERT INTO requests (id, origin, status, worker_response, attempts, completed_at) \
    SELECT ('00000000-0001-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'resilient', 'done', '{\"status\":\"done\"}', 1, now() \
    FROM generate_series($1::bigint + 1, $2::bigint) AS n";

impl Bench<'_> {
    /// With the worker dead, so that they stay open: what is measured are acceptances, 202.
    pub(super) async fn open_requests(&self) -> Result<(), LabError> {
        let system = self.start("open", |spec| {
            spec.apis = vec![ApiSpec {
                without: Some(Part::Worker),
                ..ApiSpec::new("backlog", OPEN_WORK)
            }];
        });
        let system = system.await?;
        self.rising("open requests (202)", OPEN, 1_000, &system)
            .await
    }

    pub(super) async fn done_rows(&self) -> Result<(), LabError> {
        let system = self.start("rows", |_| {}).await?;
        self.rising("done rows", DONE, 10_000, &system).await
    }

    async fn rising(
        &self,
        what: &str,
        insert: &str,
        from: u32,
        system: &System,
    ) -> Result<(), LabError> {
        let (mut there, mut rates) = (0, Vec::new());
        let mut wanted = from;
        while wanted <= self.plan.most_rows {
            fill(system, insert, there, wanted).await?;
            rates.push((wanted, self.rate(system, CALLERS).await?));
            there = wanted;
            wanted = wanted.saturating_mul(10);
        }
        self.row(what, &rates);
        Ok(())
    }
}

/// Has `wanted` of them there, and Postgres at rest again.
pub(super) async fn fill(
    system: &System,
    insert: &str,
    there: u32,
    wanted: u32,
) -> Result<(), LabError> {
    let url = postgres::url(system.port(Part::Db)?);
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    let connection = tokio::spawn(connection);
    client
        .execute(insert, &[&i64::from(there), &i64::from(wanted)])
        .await?;
    client.batch_execute("VACUUM ANALYZE requests").await?;
    client.batch_execute("CHECKPOINT").await?;
    drop(client);
    // The session's own error, if any, is the statement's error as well.
    let _ = connection.await;
    Ok(())
}

/// Open requests as a killed replica leaves them.
pub(super) async fn leave_open(system: &System, count: u32) -> Result<(), LabError> {
    fill(system, OPEN, 0, count).await
}
