//! Counting what arrives at the worker: on the link where there is one, which also sees what the worker never gets, else
//! by the worker's own counter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::link::Link;
use crate::stage::AdminClient;

const CALLS: &str = "holdfast_work_calls_total";
/// One of several that is cut off holds up what the others tell no longer than this.
const PATIENCE: Duration = Duration::from_millis(100);

/// Counts on, also over the deaths of workers.
#[derive(Debug)]
pub struct Arrivals {
    link: Option<Arc<Link>>,
    asked: Arc<AtomicU64>,
    workers: Vec<(AdminClient, Counted)>,
    on_the_link: Counted,
}

impl Arrivals {
    pub(super) fn new(
        link: Option<Arc<Link>>,
        asked: Arc<AtomicU64>,
        workers: Vec<AdminClient>,
    ) -> Self {
        let uncounted = |worker| (worker, Counted::default());
        Self {
            link,
            asked,
            workers: workers.into_iter().map(uncounted).collect(),
            on_the_link: Counted::default(),
        }
    }

    /// Since the system was raised; none: who counts did not answer.
    pub async fn count(&mut self) -> Option<u64> {
        match &self.link {
            Some(link) => {
                let seen = link.requests().await.ok()?;
                let others = seen.saturating_sub(self.asked.load(Ordering::Relaxed));
                // The link counts a question of ours before we do.
                let on_the_link = self.on_the_link.at_least(others);
                // It stands before the first worker only.
                Some(on_the_link + at_workers(&mut self.workers[1..]).await.unwrap_or(0))
            }
            None => at_workers(&mut self.workers).await,
        }
    }
}

/// By their own counters. One of several that does not answer may be dead: it counts nothing; none: nobody answers.
async fn at_workers(workers: &mut [(AdminClient, Counted)]) -> Option<u64> {
    let is_alone = workers.len() == 1;
    let told = workers.iter().map(|(worker, _)| async move {
        match is_alone {
            true => worker.metric(CALLS).await,
            false => timeout(PATIENCE, worker.metric(CALLS)).await.ok()?,
        }
    });
    let told: Vec<Option<u64>> = join_all(told).await;
    if told.iter().all(Option::is_none) {
        return None;
    }
    let counters = workers.iter_mut().zip(told);
    Some(counters.map(|((_, it), now)| it.so_far(now)).sum())
}

/// A counter that begins anew when its process does.
#[derive(Debug, Default)]
struct Counted {
    before: u64,
    last: u64,
}

impl Counted {
    fn so_far(&mut self, now: Option<u64>) -> u64 {
        match now {
            Some(now) => self.total(now),
            None => self.before + self.last,
        }
    }

    fn total(&mut self, now: u64) -> u64 {
        if now < self.last {
            self.before += self.last;
        }
        self.last = now;
        self.before + now
    }

    /// Never less than before.
    fn at_least(&mut self, now: u64) -> u64 {
        self.last = self.last.max(now);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_began_anew_is_counted_on() {
        let mut counted = Counted::default();
        assert_eq!([3, 7, 1, 4].map(|now| counted.total(now)), [3, 7, 8, 11]);
    }

    #[test]
    fn a_question_of_ours_that_is_taken_off_late_does_not_look_like_a_counter_that_began_anew() {
        let mut counted = Counted::default();
        assert_eq!([3, 5, 4, 6].map(|now| counted.at_least(now)), [3, 5, 5, 6]);
    }
}
