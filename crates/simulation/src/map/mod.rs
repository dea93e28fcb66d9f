//! The map: load × trigger, and for each cell whether a side stays up, recovers, or stays down though the trigger is gone.
//!
//! The trigger is a worker that stands still for a while, its port open. Clients have patience for so long, then ask again at
//! once: what OSDI'22 calls metastable is a load under which the work that nobody waits for any more keeps the worker busy. The
//! scenario can be played on the real system as well; the constants here are all that such a replay needs.

mod cell;
mod fate;
pub(crate) mod page;
mod play;
mod side;
pub(crate) mod text;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

pub(crate) use self::cell::Cell;
pub(crate) use self::fate::{Fate, Seen};
pub(crate) use self::play::play;
pub(crate) use self::side::Side;
use crate::run::CannotRun;

/// Works that the worker does at once.
pub(crate) const CAPACITY: u32 = 20;
/// What one takes, as in the course.
pub(crate) const WORK: Duration = Duration::from_secs(2);
/// How long a client waits for an answer: longer than the worker's deadline of 5.5 s, after which the resilient side answers.
pub(crate) const PATIENCE: Duration = Duration::from_secs(6);
/// How long all is well before the trigger.
pub(crate) const WARM: Duration = Duration::from_secs(15);
/// How long is waited for a recovery after it.
pub(crate) const SETTLES: Duration = Duration::from_secs(60);
/// At whose end is looked whether there was one.
pub(crate) const LOOKS_AT: Duration = Duration::from_secs(15);
/// Cells along each axis.
pub(crate) const STEPS: u32 = 20;

/// What became of one side everywhere, load by load, each from the shortest trigger to the longest.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    pub(crate) side: Side,
    pub(crate) fates: Vec<Fate>,
    pub(crate) calls: u64,
}

impl Sheet {
    /// What became of it in `cell`.
    pub(crate) fn fate(&self, cell: Cell) -> Fate {
        self.fates[cell.index()]
    }

    /// In how many cells that became of it.
    pub(crate) fn count(&self, fate: Fate) -> usize {
        self.fates.iter().filter(|it| **it == fate).count()
    }
}

/// Plays every cell of every side, on all cores: each cell is a world of its own, on one thread.
///
/// # Errors
/// When one cannot be begun.
pub(crate) fn sweep() -> Result<Vec<Sheet>, CannotRun> {
    let all: Vec<(Side, Cell)> = Side::ALL
        .into_iter()
        .flat_map(|side| Cell::all().map(move |cell| (side, cell)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut seen = vec![];
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((side, cell)) = all.get(at) else {
                return Ok(seen);
            };
            seen.push((at, play(*side, *cell)?));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let seen: Result<Vec<Vec<_>>, CannotRun> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = threads.into_iter().map(ScopedJoinHandle::join);
        joined
            .map(|it| it.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut seen: Vec<(usize, Seen)> = seen?.into_iter().flatten().collect();
    seen.sort_unstable_by_key(|(at, _)| *at);
    let seen: Vec<Seen> = seen.into_iter().map(|(_, seen)| seen).collect();
    let sheets = seen.chunks(Cell::COUNT).zip(Side::ALL);
    Ok(sheets
        .map(|(seen, side)| Sheet {
            side,
            fates: seen.iter().map(Seen::fate).collect(),
            calls: seen.iter().map(|seen| seen.calls).sum(),
        })
        .collect())
}
