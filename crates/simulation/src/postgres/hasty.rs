//! A defect of its own: what is brought over is taken for committed when it is under way.

use holdfast_api::embedded::{Entry, Replayed};

use super::server::Use;
use super::table::{Answer, DatabaseLink};

impl DatabaseLink {
    /// The mutant's: says that entries are recorded when the statement is merely under way.
    pub(super) fn replay_without_commit(&self, entries: &[Entry]) -> Answer<Replayed> {
        let (link, entries) = (self.clone(), entries.to_vec());
        let conflicts = vec![];
        tokio::spawn(async move {
            let replay =
                link.server
                    .run(&link.peer, Use::CatchingUp, move |tables, inside, now| {
                        Ok(tables.replay(&entries, inside, now))
                    });
            replay.await.map(drop)
        });
        Ok(Replayed::Recorded { conflicts })
    }
}
