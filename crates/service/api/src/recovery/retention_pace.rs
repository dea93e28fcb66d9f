//! How much of a session's time deletions take: little while they keep pace, more while they fall further behind.
//!
//! A statement that deletes competes with those of live calls for the same disk and processors. Where old rows lie already, an
//! hour more does no harm; where they come faster than they are deleted, the table grows for ever.

use std::time::Duration;

/// A ninth of the time: at a full load of live calls they lose less than a tenth.
const MAX_PAUSES: u32 = 8;

/// Rows grow so old between two looks where deletions keep pace: they are looked for every ten seconds.
const NORMAL: Duration = Duration::from_secs(20);

/// How long the pause after a statement is, in multiples of what the statement took. Pure.
#[derive(Debug, Clone, Copy)]
pub(super) struct RetentionPace {
    pauses: u32,
    behind: Duration,
}

impl RetentionPace {
    /// The gentlest.
    pub(super) fn new() -> Self {
        Self {
            pauses: MAX_PAUSES,
            behind: Duration::ZERO,
        }
    }

    /// The pause after a statement that took so long.
    pub(super) fn pause(self, took: Duration) -> Duration {
        took * self.pauses
    }

    /// How far deletions lag behind, looked at from time to time: rows that were not there before are no sign that they fall
    /// further behind, a lag that grew since the last look is.
    pub(super) fn lags(&mut self, behind: Duration) {
        let grows = self.behind > NORMAL && behind > self.behind;
        self.pauses = if grows {
            (self.pauses / 2).max(1)
        } else {
            (self.pauses * 2).min(MAX_PAUSES)
        };
        self.behind = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Duration = Duration::from_millis(10);

    #[test]
    fn it_takes_up_to_half_of_the_time_while_the_lag_grows_and_gives_it_back() {
        let mut pace = RetentionPace::new();
        let mut after = |behind| {
            pace.lags(Duration::from_secs(behind));
            pace.pause(TOOK).as_millis()
        };
        let growing = [0, 25, 35, 45, 55, 65].map(&mut after);
        assert_eq!(growing, [80, 80, 40, 20, 10, 10]);
        let catching_up = [60, 30, 5, 0].map(&mut after);
        assert_eq!(catching_up, [20, 40, 80, 80]);
    }

    #[test]
    fn what_is_as_old_as_rows_become_between_two_looks_does_not_hurry_it() {
        let mut pace = RetentionPace::new();
        for behind in [9_900, 9_901, 9_950, 10_000, 10_001] {
            pace.lags(Duration::from_millis(behind));
            assert_eq!(pace.pause(TOOK), TOOK * MAX_PAUSES);
        }
    }

    #[test]
    fn old_rows_that_are_found_at_once_do_not_hurry_it() {
        let mut pace = RetentionPace::new();
        for behind in [0, 86_400, 86_400, 80_000, 0, 86_400] {
            pace.lags(Duration::from_secs(behind));
            assert_eq!(pace.pause(TOOK), TOOK * MAX_PAUSES);
        }
    }
}
