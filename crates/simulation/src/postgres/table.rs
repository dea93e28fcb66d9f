//! A replica's way to the model of Postgres, as the service's own port.

use std::time::Duration;

use holdfast_api::embedded::{
    Claimed, CompletedOpen, EndRow, Entry, ExistingRequest, FailureOutcome, Finished, Forgotten,
    Inserted, NewRequest, NewRow, OpenCount, OpenRequest, Replayed, Table, WorkResult, Written,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::server::{Server, Use};
use crate::mutant::{Mutant, plain, plain_request, plain_rows};
use crate::world::failure::StatementFailure;
use crate::world::number;
use crate::world::peer::Peer;

/// The way of one replica's life to Postgres. Clones are the same.
#[derive(Clone)]
pub struct DatabaseLink {
    pub(super) server: Server,
    pub(super) peer: Peer,
    mutant: Mutant,
}

pub(super) type Answer<T> = Result<T, StatementFailure>;

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

    /// How many of some rows were written, or that nobody knows.
    fn noted<T>(&self, what: &'static str, ids: &[Uuid], answer: Answer<T>) -> Answer<T> {
        let detail = u64::from(answer.is_ok());
        ids.iter().for_each(|id| self.note(what, *id, detail));
        answer
    }
}

impl Table for DatabaseLink {
    type Error = StatementFailure;

    async fn insert(&self, rows: &[NewRow]) -> Answer<Vec<Written<Inserted>>> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let rows = rows.to_vec();
        let insert = self
            .server
            .run(&self.peer, Use::Live, move |tables, _, now| {
                Ok(tables.insert(&rows, now))
            });
        self.noted("insert", &ids, insert.await)
    }

    async fn insert_keyed(&self, rows: &[NewRow]) -> Answer<Vec<Written<Inserted>>> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let rows = plain_rows(rows);
        if self.mutant == Mutant::KeyIgnored {
            return self.insert(&rows).await;
        }
        let insert = self
            .server
            .run(&self.peer, Use::Live, move |tables, inside, now| {
                Ok(tables.insert_keyed(&rows, inside, now))
            });
        self.noted("insert keyed", &ids, insert.await)
    }

    async fn finish(&self, rows: &[EndRow]) -> Answer<Vec<Written<Finished>>> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let rows = rows.to_vec();
        let finish = self
            .server
            .run(&self.peer, Use::Live, move |tables, inside, now| {
                Ok(tables.finish(&rows, inside, now))
            });
        let finished = self.noted("finish", &ids, finish.await)?;
        Ok(self.mutant.finished(finished))
    }

    async fn record(&self, request: &NewRequest, result: &WorkResult) -> Answer<()> {
        let (id, request, result) = (request.id, plain_request(request), result.clone());
        let record = self
            .server
            .run(&self.peer, Use::Live, move |tables, _, now| {
                tables.record(&request, &result, now)
            });
        self.noted("record whole", &[id], record.await)
    }

    async fn record_failed(&self, request: &NewRequest, error: &str) -> Answer<()> {
        let (id, request, error) = (request.id, plain_request(request), error.to_owned());
        let record = self
            .server
            .run(&self.peer, Use::Live, move |tables, _, now| {
                tables.record_failed(&request, &error, now);
                Ok(())
            });
        self.noted("record failed", &[id], record.await)
    }

    async fn give_up(&self, id: Uuid, error: &str) -> Answer<()> {
        let error = error.to_owned();
        let give_up = self
            .server
            .run(&self.peer, Use::Live, move |tables, _, now| {
                tables.give_up(id, &error, now);
                Ok(())
            });
        self.noted("give up", &[id], give_up.await)
    }

    async fn by_id(&self, id: Uuid) -> Answer<Option<ExistingRequest>> {
        let look = self
            .server
            .run(&self.peer, Use::Live, move |tables, _, now| {
                Ok(tables.by_id(id, now))
            });
        self.noted("look", &[id], look.await)
    }

    async fn by_key(&self, key: &str, body: Option<&str>) -> Answer<Option<ExistingRequest>> {
        let (key, body) = (plain(key.to_owned()), body.map(str::to_owned));
        let look = self
            .server
            .run(&self.peer, Use::Live, move |tables, inside, now| {
                if inside.keys_are_missing {
                    return Err("42P01");
                }
                Ok(tables.by_key(&key, body.as_deref(), now))
            });
        look.await
    }

    async fn probe(&self) -> Answer<()> {
        self.server
            .run(&self.peer, Use::Live, |_, _, _| Ok(()))
            .await
    }

    async fn claim(
        &self,
        limit: u32,
        lease: Duration,
        longest_lease: Duration,
    ) -> Answer<Vec<OpenRequest>> {
        let longest_lease = self.mutant.longest_lease(longest_lease);
        let claim = self
            .server
            .run(&self.peer, Use::CatchingUp, move |tables, inside, now| {
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
        let response = response.to_owned();
        let complete = self
            .server
            .run(&self.peer, Use::CatchingUp, move |tables, inside, now| {
                tables.complete_open(id, &response, attempts, inside, now)
            });
        let completed = self.noted("complete", &[id], complete.await)?;
        Ok(self.mutant.completed(completed))
    }

    async fn extend(&self, claimed: Claimed, lease: Duration) -> Answer<Option<Claimed>> {
        let extend = self
            .server
            .run(&self.peer, Use::CatchingUp, move |tables, _, now| {
                Ok(tables.extend(claimed, lease, now))
            });
        self.noted("extend", &[claimed.id], extend.await)
    }

    async fn give_back(&self, claimed: Claimed, pause: Duration) -> Answer<()> {
        let give_back = self
            .server
            .run(&self.peer, Use::CatchingUp, move |tables, _, now| {
                tables.extend(claimed, pause, now);
                Ok(())
            });
        self.noted("give back", &[claimed.id], give_back.await)
    }

    async fn count_failure(
        &self,
        claimed: Claimed,
        error: &str,
        max_attempts: u32,
        pause: Duration,
    ) -> Answer<FailureOutcome> {
        let error = error.to_owned();
        let count = self
            .server
            .run(&self.peer, Use::CatchingUp, move |tables, _, now| {
                Ok(tables.count_failure(claimed, &error, max_attempts, pause, now))
            });
        self.noted("count failure", &[claimed.id], count.await)
    }

    async fn replay(&self, entries: &[Entry], _lock_limit: Duration) -> Answer<Replayed> {
        if self.mutant == Mutant::ReplayBeforeCommit {
            return self.replay_without_commit(entries);
        }
        let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
        let (mutant, entries) = (self.mutant, entries.to_vec());
        let replay = self
            .server
            .run(&self.peer, Use::CatchingUp, move |tables, inside, now| {
                let entries = mutant.replayed(&entries, |id| tables.done_at(id));
                Ok(tables.replay(&entries, inside, now))
            });
        match self.noted("replay", &ids, replay.await)? {
            Replayed::Refused(_) if self.mutant == Mutant::QuarantineOff => {
                Err(StatementFailure::Lost)
            }
            replayed => Ok(replayed),
        }
    }

    async fn refuse(&self, entry: &Entry, error: &str) -> Answer<Replayed> {
        let (id, entry, error) = (entry.id, entry.clone(), error.to_owned());
        let refuse = self
            .server
            .run(&self.peer, Use::CatchingUp, move |tables, _, now| {
                tables.refuse(&entry, &error, now);
                let conflicts = vec![];
                Ok(Replayed::Recorded { conflicts })
            });
        self.noted("refuse", &[id], refuse.await)
    }

    async fn forget(
        &self,
        keep: Duration,
        portion: u32,
        from: Option<Timestamp>,
    ) -> Answer<Forgotten> {
        let forget = self
            .server
            .run(&self.peer, Use::CatchingUp, move |tables, _, now| {
                Ok(tables.forget(keep, portion, from, now))
            });
        forget.await
    }

    async fn oldest_kept(&self, from: Option<Timestamp>) -> Answer<Option<Duration>> {
        let look = self
            .server
            .run(&self.peer, Use::Reading, move |tables, _, now| {
                Ok(tables.oldest_kept(from, now))
            });
        look.await
    }

    async fn count_open(&self) -> Answer<OpenCount> {
        let count = self.server.run(&self.peer, Use::Reading, |tables, _, now| {
            Ok(tables.count_open(now))
        });
        count.await
    }
}
