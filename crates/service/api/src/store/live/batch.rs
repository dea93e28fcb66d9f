//! Many rows in one statement, and what becomes of each when Postgres refuses one of them.
//!
//! The row that cannot be written is found by halving the batch; the others are written. Repeating any part is harmless.

use std::ops::Range;

use crate::postgres::{Attribution, DatabaseError};
use crate::store::{Session, Sessions};

/// Rows refused one by one before the statement itself is blamed for it: not each of a few hundred is tried.
const MAX_LONE_REFUSALS: usize = 4;
/// Rows of one batch whose lock is waited for: each wait is an eighth of the time that all of its rows have.
const MAX_LOCK_WAITS: usize = 4;
/// Statements of one batch that may fail: each takes of the time that all of its rows have.
const MAX_FAILURES: usize = 32;

/// What a statement that waits for a lock waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Locks {
    /// The table's: no row is there yet.
    Table,
    /// A key that somebody is about to take.
    Key,
    /// A row's, which can be passed over.
    Row,
}

/// A kind of write.
pub(in crate::store) trait Batch: Send + Sync + 'static {
    /// What is written.
    type Row: Send + Sync + 'static;
    /// What came of one row.
    type Outcome: Send + 'static;

    /// What it may have to wait for.
    const LOCKS: Locks;

    /// Writes `rows` in one statement and says what came of each, in their order. Where `skip_locked`, a row under
    /// somebody's lock is passed over, not waited for.
    fn write(
        &self,
        session: &Session,
        rows: &[Self::Row],
        skip_locked: bool,
    ) -> impl Future<Output = Result<Vec<Self::Outcome>, tokio_postgres::Error>> + Send;

    /// Writes each of `rows` that can be written.
    ///
    /// # Errors
    /// When the server cannot: then any part may be written, or none.
    fn write_all(
        &self,
        sessions: &Sessions,
        rows: &[Self::Row],
    ) -> impl Future<Output = Result<Vec<Written<Self::Outcome>>, DatabaseError>> + Send
    where
        Self: Sized,
    {
        async move {
            let session = sessions.acquire().await?;
            let written = halve(self, &session, rows).await;
            session.finish(written).map_err(|error| match error {
                DatabaseError::Refused { source, .. }
                    if Attribution::of(&source) == Attribution::Lock =>
                {
                    DatabaseError::TableLocked(source)
                }
                error => error,
            })
        }
    }
}

/// What became of one row of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<T> {
    /// The statement was run, and this came of it.
    Run(T),
    /// Postgres refuses this row, and no other.
    RowRefused(String),
    /// Somebody holds a lock on this row, or on so many before it that it was not tried.
    RowLocked,
    /// Postgres refuses the statement, whatever the row.
    StatementRefused(Attribution),
}

impl<T> Written<T> {
    /// The same of another outcome.
    pub(super) fn map<U>(self, outcome: impl FnOnce(T) -> U) -> Written<U> {
        match self {
            Self::Run(it) => Written::Run(outcome(it)),
            Self::RowRefused(error) => Written::RowRefused(error),
            Self::RowLocked => Written::RowLocked,
            Self::StatementRefused(attribution) => Written::StatementRefused(attribution),
        }
    }
}

async fn halve<B: Batch>(
    batch: &B,
    session: &Session,
    rows: &[B::Row],
) -> Result<Vec<Written<B::Outcome>>, tokio_postgres::Error> {
    let mut outcomes: Vec<Option<Written<B::Outcome>>> = rows.iter().map(|_| None).collect();
    let mut pending: Vec<(Range<usize>, bool)> = vec![(0..rows.len(), false)];
    let (mut written, mut refused, mut locked, mut failures) = (false, 0, 0, 0);
    while let Some((range, skip_locked)) = pending.pop() {
        let error = match batch
            .write(session, &rows[range.clone()], skip_locked)
            .await
        {
            Ok(results) => {
                written = true;
                for (outcome, result) in outcomes[range].iter_mut().zip(results) {
                    *outcome = Some(Written::Run(result));
                }
                continue;
            }
            Err(error) => error,
        };
        let attribution = Attribution::of(&error);
        failures += 1;
        match attribution {
            Attribution::Server => return Err(error),
            Attribution::Lock => match B::LOCKS {
                Locks::Row if !skip_locked => pending.push((range, true)),
                // One by one: halving would wait for the same lock at each step.
                Locks::Key if range.len() > 1 => {
                    pending.extend(range.rev().map(|row| (row..row + 1, false)));
                }
                Locks::Key => {
                    outcomes[range.start] = Some(Written::RowLocked);
                    locked += 1;
                    if locked == MAX_LOCK_WAITS {
                        break;
                    }
                }
                // What is written is: there is a table to write to.
                _ if written => break,
                Locks::Row | Locks::Table => return Err(error),
            },
            _ if failures > MAX_FAILURES => {
                fill(&mut outcomes[range], Attribution::Row);
            }
            Attribution::Row if range.len() > 1 && (written || refused < MAX_LONE_REFUSALS) => {
                let middle = range.start + range.len() / 2;
                pending.push((middle..range.end, skip_locked));
                pending.push((range.start..middle, skip_locked));
            }
            Attribution::Row if range.len() == 1 => {
                refused += 1;
                outcomes[range.start] = Some(Written::RowRefused(refusal(&error)));
            }
            Attribution::Row | Attribution::Schema => fill(&mut outcomes[range], attribution),
        }
    }
    // Each that was tried has an outcome.
    let untried = || Written::RowLocked;
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(untried))
        .collect())
}

fn fill<T>(outcomes: &mut [Option<Written<T>>], attribution: Attribution) {
    for outcome in outcomes {
        *outcome = Some(Written::StatementRefused(attribution));
    }
}

/// Safe to show: Postgres' own words may repeat what was to be written.
fn refusal(error: &tokio_postgres::Error) -> String {
    let sqlstate = error.code().map_or("no SQLSTATE", |code| code.code());
    tracing::error!(
        sqlstate,
        cause = error.as_db_error().map(ToString::to_string),
        "Postgres refuses a row"
    );
    format!("the database refuses this request ({sqlstate})")
}
