//! The last so many calls: a ring whose oldest entry makes room for the newest.

use super::{Counts, Record};

#[derive(Debug)]
pub(in crate::breaker) struct CountWindow {
    ring: Box<[Record]>,
    // Where the next record goes; while the ring is full, that is the oldest one.
    next: usize,
    totals: Counts,
}

impl CountWindow {
    /// A window of `calls` calls; a window of none would never speak, so it holds at least one.
    pub(super) fn new(calls: u32) -> Self {
        let ring = vec![Record::default(); calls.max(1) as usize].into_boxed_slice();
        Self {
            ring,
            next: 0,
            totals: Counts::default(),
        }
    }

    pub(super) fn record(&mut self, record: Record) {
        let full = self.totals.calls == self.ring.len() as u64;
        let Some(place) = self.ring.get_mut(self.next) else {
            return;
        };
        if full {
            self.totals.remove(Counts::from(*place));
        }
        *place = record;
        self.totals.add(record);
        self.next += 1;
        if self.next == self.ring.len() {
            self.next = 0;
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.totals
    }

    pub(super) fn is_full_of_successes(&self) -> bool {
        let Counts {
            calls,
            failures,
            slow,
        } = self.totals;
        calls == self.ring.len() as u64 && failures == 0 && slow == 0
    }

    pub(super) fn clear(&mut self) {
        self.next = 0;
        self.totals = Counts::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outcomes() -> impl Strategy<Value = Vec<(bool, bool)>> {
        prop::collection::vec((any::<bool>(), any::<bool>()), 0..200)
    }

    proptest! {
        #[test]
        fn it_holds_exactly_the_last_calls(size in 1_u32..20, outcomes in outcomes()) {
            let mut window = CountWindow::new(size);
            for end in 1..=outcomes.len() {
                let (failed, slow) = outcomes[end - 1];
                window.record(Record { failed, slow });
                let last = &outcomes[end.saturating_sub(size as usize)..end];
                let expected = Counts {
                    calls: last.len() as u64,
                    failures: last.iter().filter(|(failed, _)| *failed).count() as u64,
                    slow: last.iter().filter(|(_, slow)| *slow).count() as u64,
                };
                prop_assert_eq!(window.counts(), expected);
            }
        }
    }

    #[test]
    fn a_cleared_window_forgets_what_it_held() {
        let mut window = CountWindow::new(3);
        for _ in 0..5 {
            window.record(Record {
                failed: true,
                slow: true,
            });
        }
        window.clear();
        assert_eq!(window.counts(), Counts::default());
        window.record(Record::default());
        assert_eq!(
            window.counts(),
            Counts {
                calls: 1,
                failures: 0,
                slow: 0
            }
        );
    }
}
