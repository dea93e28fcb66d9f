//! New requests and the ends of others in one statement: a commit is most of what a small batch costs, and this is one in the
//! place of two.

use tokio_postgres::types::ToSql;

use super::finish::{self, EndRow};
use super::insert::{self, NewRow};
use crate::postgres::{Attribution, DatabaseError};
use crate::store::Sessions;

/// Writes `new` and `ends`; whether all of it was to be written and is. If not, none or some is: whoever writes each kind by
/// itself learns what became of which row.
///
/// # Errors
/// When the server cannot.
pub(in crate::store) async fn write_both(
    sessions: &Sessions,
    new: &[NewRow],
    ends: &[EndRow],
) -> Result<bool, DatabaseError> {
    let session = sessions.acquire().await?;
    let (ids, payloads, leases) = insert::columns(new);
    let (ended, responses, attempts, held) = finish::columns(ends);
    let parameters: [&(dyn ToSql + Sync); 7] = [
        &ids, &payloads, &leases, &ended, &responses, &attempts, &held,
    ];
    let touched = async {
        let statement = session.prepare_cached(&statement()).await?;
        session.query(&statement, &parameters).await
    };
    let all = match touched.await {
        Ok(touched) => Ok(touched.len() == new.len() + ends.len()),
        Err(error) if Attribution::of(&error) == Attribution::Server => Err(error),
        Err(_one_row_or_kind) => Ok(false),
    };
    session.finish(all)
}

fn statement() -> String {
    let finish = finish::statement(4, "");
    format!(
        "WITH new AS ({}), ended AS ({finish}) SELECT id FROM new UNION ALL SELECT id FROM ended",
        insert::INSERT
    )
}
