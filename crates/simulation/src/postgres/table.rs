//! A replica's way to the model of Postgres, as the service's own port.

use std::time::Duration;

use holdfast_api::embedded::{
    Claimed, CompletedOpen, EndRow, Entry, ExistingRequest, FailureOutcome, Finished, Forgotten,
    Inserted, NewRequest, NewRow, OpenCount, OpenRequest, Replayed, Table, WorkResult, Written,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::Conditions;
use super::rows::Tables;
use super::server::{Server, Use};
use crate::mutant::{Mutant, plain, plain_request, plain_rows};
use crate::world::failure::{SqlState, StatementFailure};
use crate::world::number;
use crate::world::peer::Peer;
use crate::world::time::Micros;

/// The way of one replica's life to Postgres. Clones are the same.
#[derive(Clone)]
pub struct DatabaseLink {
    server: Server,
    peer: Peer,
    mutant: Mutant,
}

type Answer<T> = Result<T, StatementFailure>;

/// Under which word a statement is noted, and for which requests.
type Note = (&'static str, Vec<Uuid>);

const UNNOTED: Note = ("", Vec::new());

impl DatabaseLink {
    /// The way of `peer` to `server`; a `mutant` may do wrong on it.
    #[must_use]
    pub fn new(server: Server, peer: Peer, mutant: Mutant) -> Self {
        Self {
            server,
            peer,
            mutant,
        }
    }

    fn note(&self, what: &'static str, id: Uuid, detail: u64) {
        let Peer { replica, trace, .. } = &self.peer;
        trace.note(*replica, what, number(id), detail);
    }

    /// Has a statement run, and notes whether it was answered: if not, nobody knows whether it was done.
    async fn run<T: Send>(
        &self,
        use_: Use,
        (what, ids): Note,
        statement: impl FnOnce(&mut Tables, &Conditions, Micros) -> Result<T, SqlState> + Send + 'static,
    ) -> Answer<T> {
        let answer = self.server.run(&self.peer, use_, statement).await;
        let detail = u64::from(answer.is_ok());
        ids.iter().for_each(|id| self.note(what, *id, detail));
        answer
    }

    /// A mutant's: says that entries are recorded when the statement is merely under way.
    fn replay_without_commit(&self, entries: &[Entry]) -> Replayed {
        let (link, entries) = (self.clone(), entries.to_vec());
        tokio::spawn(async move {
            let replay = link.run(Use::CatchingUp, UNNOTED, move |tables, inside, now| {
                Ok(tables.replay(&entries, inside, now))
            });
            replay.await.map(drop)
        });
        Replayed::Recorded { conflicts: vec![] }
    }
}

impl Table for DatabaseLink {
    type Error = StatementFailure;

    async fn insert(&self, rows: &[NewRow]) -> Answer<Vec<Written<Inserted>>> {
        let note = ("insert", rows.iter().map(|row| row.id).collect());
        let rows = rows.to_vec();
        let insert = self.run(Use::Live, note, move |tables, _, now| {
            Ok(tables.insert(&rows, now))
        });
        insert.await
    }

    async fn insert_keyed(&self, rows: &[NewRow]) -> Answer<Vec<Written<Inserted>>> {
        let note = ("insert keyed", rows.iter().map(|row| row.id).collect());
        let rows = plain_rows(rows);
        if self.mutant == Mutant::KeyIgnored {
            return self.insert(&rows).await;
        }
        let insert = self.run(Use::Live, note, move |tables, inside, now| {
            Ok(tables.insert_keyed(&rows, inside, now))
        });
        insert.await
    }

    async fn finish(&self, rows: &[EndRow]) -> Answer<Vec<Written<Finished>>> {
        let note = ("finish", rows.iter().map(|row| row.id).collect());
        let rows = rows.to_vec();
        let finish = self.run(Use::Live, note, move |tables, inside, now| {
            Ok(tables.finish(&rows, inside, now))
        });
        Ok(self.mutant.finished(finish.await?))
    }

    async fn record(&self, request: &NewRequest, result: &WorkResult) -> Answer<()> {
        let note = ("record whole", vec![request.id]);
        let (request, result) = (plain_request(request), result.clone());
        let record = self.run(Use::Live, note, move |tables, _, now| {
            tables.record(&request, &result, now)
        });
        record.await
    }

    async fn record_failed(&self, request: &NewRequest, error: &str) -> Answer<()> {
        let note = ("record failed", vec![request.id]);
        let (request, error) = (plain_request(request), error.to_owned());
        let record = self.run(Use::Live, note, move |tables, _, now| {
            tables.record_failed(&request, &error, now);
            Ok(())
        });
        record.await
    }

    async fn give_up(&self, id: Uuid, error: &str) -> Answer<()> {
        let (note, error) = (("give up", vec![id]), error.to_owned());
        let give_up = self.run(Use::Live, note, move |tables, _, now| {
            tables.give_up(id, &error, now);
            Ok(())
        });
        give_up.await
    }

    async fn by_id(&self, id: Uuid) -> Answer<Option<ExistingRequest>> {
        let look = self.run(Use::Live, ("look", vec![id]), move |tables, _, now| {
            Ok(tables.by_id(id, now))
        });
        look.await
    }

    async fn by_key(&self, key: &str, body: Option<&str>) -> Answer<Option<ExistingRequest>> {
        let (key, body) = (plain(key.to_owned()), body.map(str::to_owned));
        let look = self.run(Use::Live, UNNOTED, move |tables, inside, now| {
            if inside.keys_are_missing {
                return Err(SqlState("42P01"));
            }
            Ok(tables.by_key(&key, body.as_deref(), now))
        });
        look.await
    }

    async fn probe(&self) -> Answer<()> {
        self.run(Use::Live, UNNOTED, |_, _, _| Ok(())).await
    }

    async fn claim(
        &self,
        limit: u32,
        lease: Duration,
        longest_lease: Duration,
    ) -> Answer<Vec<OpenRequest>> {
        let longest_lease = self.mutant.longest_lease(longest_lease);
        let claim = self.run(Use::CatchingUp, UNNOTED, move |tables, inside, now| {
            tables.claim(limit, lease, longest_lease, inside, now)
        });
        let claimed = claim.await?;
        for open in &claimed {
            self.note("claim", open.claimed.id, open.claimed.failures.into());
        }
        Ok(claimed)
    }

    async fn complete_open(
        &self,
        id: Uuid,
        response: &str,
        attempts: u32,
    ) -> Answer<CompletedOpen> {
        let (note, response) = (("complete", vec![id]), response.to_owned());
        let complete = self.run(Use::CatchingUp, note, move |tables, inside, now| {
            tables.complete_open(id, &response, attempts, inside, now)
        });
        Ok(self.mutant.completed(complete.await?))
    }

    async fn extend(&self, claimed: Claimed, lease: Duration) -> Answer<Option<Claimed>> {
        let note = ("extend", vec![claimed.id]);
        let extend = self.run(Use::CatchingUp, note, move |tables, _, now| {
            Ok(tables.extend(claimed, lease, now))
        });
        extend.await
    }

    async fn give_back(&self, claimed: Claimed, pause: Duration) -> Answer<()> {
        let note = ("give back", vec![claimed.id]);
        let give_back = self.run(Use::CatchingUp, note, move |tables, _, now| {
            Ok(tables.extend(claimed, pause, now))
        });
        give_back.await.map(drop)
    }

    async fn count_failure(
        &self,
        claimed: Claimed,
        error: &str,
        max_attempts: u32,
        pause: Duration,
    ) -> Answer<FailureOutcome> {
        let (note, error) = (("count failure", vec![claimed.id]), error.to_owned());
        let count = self.run(Use::CatchingUp, note, move |tables, _, now| {
            Ok(tables.count_failure(claimed, &error, max_attempts, pause, now))
        });
        count.await
    }

    async fn replay(&self, entries: &[Entry], _lock_limit: Duration) -> Answer<Replayed> {
        if self.mutant == Mutant::ReplayBeforeCommit {
            return Ok(self.replay_without_commit(entries));
        }
        let note = ("replay", entries.iter().map(|entry| entry.id).collect());
        let (mutant, entries) = (self.mutant, entries.to_vec());
        let replay = self.run(Use::CatchingUp, note, move |tables, inside, now| {
            let entries = mutant.replayed(&entries, |id| tables.done_at(id));
            Ok(tables.replay(&entries, inside, now))
        });
        match replay.await? {
            Replayed::Refused(_) if self.mutant == Mutant::QuarantineOff => {
                Err(StatementFailure::Lost)
            }
            replayed => Ok(replayed),
        }
    }

    async fn refuse(&self, entry: &Entry, error: &str) -> Answer<Replayed> {
        let note = ("refuse", vec![entry.id]);
        let (entry, error) = (entry.clone(), error.to_owned());
        let refuse = self.run(Use::CatchingUp, note, move |tables, _, now| {
            tables.refuse(&entry, &error, now);
            Ok(Replayed::Recorded { conflicts: vec![] })
        });
        refuse.await
    }

    async fn forget(
        &self,
        keep: Duration,
        portion: u32,
        from: Option<Timestamp>,
    ) -> Answer<Forgotten> {
        let forget = self.run(Use::CatchingUp, UNNOTED, move |tables, _, now| {
            Ok(tables.forget(keep, portion, from, now))
        });
        forget.await
    }

    async fn oldest_kept(&self, from: Option<Timestamp>) -> Answer<Option<Duration>> {
        let look = self.run(Use::Reading, UNNOTED, move |tables, _, now| {
            Ok(tables.oldest_kept(from, now))
        });
        look.await
    }

    async fn count_open(&self) -> Answer<OpenCount> {
        let count = self.run(Use::Reading, UNNOTED, |tables, _, now| {
            Ok(tables.count_open(now))
        });
        count.await
    }
}
