//! What becomes of a side in a cell, judged by what its clients were told. The same for virtual and real clients.

use std::ops::Range;
use std::time::Duration;

use super::{Cell, LOOKS_AT, WARM};

/// This share of the calls must go well.
const WELL: f64 = 0.9;

/// What one client was told in the end, having asked as often as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// 200: its work is done.
    Done,
    /// 202: it will be.
    Accepted,
    /// An error, or nothing while it had patience.
    Nothing,
}

/// What was seen of a cell.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) cell: Cell,
    /// What clients were told, in the order in which they came.
    pub(crate) told: Vec<Told>,
    /// Calls they made for it.
    pub(crate) calls: u64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nine of ten clients are answered throughout, and at the end again with a result.
    Up,
    /// Not while the trigger lasts, but afterwards.
    Recovers,
    /// Everybody is answered a minute after the trigger is gone, but more than one in ten with a promise.
    StillDefers,
    /// Not even a minute after the trigger is gone.
    StaysDown,
    /// Not even before it.
    NeverUp,
}

impl Fate {
    pub(crate) const ALL: [Self; 5] = [
        Self::Up,
        Self::Recovers,
        Self::StillDefers,
        Self::StaysDown,
        Self::NeverUp,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Up => "stays up",
            Self::Recovers => "recovers",
            Self::StillDefers => "still defers",
            Self::StaysDown => "stays down",
            Self::NeverUp => "never up",
        }
    }

    pub(crate) fn mark(self) -> char {
        match self {
            Self::Up => '#',
            Self::Recovers => '+',
            Self::StillDefers => '2',
            Self::StaysDown => '.',
            Self::NeverUp => '?',
        }
    }
}

impl Seen {
    /// What became of the side.
    pub(crate) fn fate(&self) -> Fate {
        let ends = self.cell.ends();
        let is_done = |told| told == Told::Done;
        let is_answered = |told| told != Told::Nothing;
        let last = ends - LOOKS_AT..ends;
        let meanwhile = WARM..self.cell.resumes();
        // Before the trigger calls end that came early enough.
        if self.share(&(Duration::ZERO..WARM / 2), is_done) < WELL {
            Fate::NeverUp
        } else if self.share(&last, is_answered) < WELL {
            Fate::StaysDown
        } else if self.share(&last, is_done) < WELL {
            Fate::StillDefers
        } else if self.share(&(WARM / 2..ends), is_answered) < WELL
            || self.share(&meanwhile, is_answered) < WELL
        {
            Fate::Recovers
        } else {
            Fate::Up
        }
    }

    /// The share of those who came between and were told so; of nobody, all.
    pub(crate) fn share(&self, between: &Range<Duration>, is: impl Fn(Told) -> bool) -> f64 {
        let arrivals = self.cell.arrivals();
        let came = arrivals.iter().zip(&self.told);
        let came = came.filter(|(at, _)| between.contains(*at));
        let (mut all, mut well) = (0.0, 0.0);
        for (_, told) in came {
            all += 1.0;
            well += f64::from(u8::from(is(*told)));
        }
        if all > 0.0 { well / all } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(told: impl Fn(Duration) -> Told) -> Fate {
        let cell = Cell { load: 50, pause: 5 };
        let told = cell.arrivals().into_iter().map(told).collect();
        Seen {
            cell,
            told,
            calls: 0,
        }
        .fate()
    }

    #[test]
    fn a_side_is_up_recovers_or_stays_down_by_what_its_clients_are_told() {
        let (trigger, resumes) = (WARM, Cell { load: 50, pause: 5 }.resumes());
        let meanwhile = |at: Duration| (trigger..resumes).contains(&at);
        let instead = |told| move |at: Duration| if meanwhile(at) { told } else { Told::Done };
        assert_eq!(seen(|_| Told::Done), Fate::Up);
        assert_eq!(seen(instead(Told::Accepted)), Fate::Up);
        assert_eq!(seen(instead(Told::Nothing)), Fate::Recovers);
        let ever_after = |told| move |at: Duration| if at >= trigger { told } else { Told::Done };
        assert_eq!(seen(ever_after(Told::Nothing)), Fate::StaysDown);
        // A promise is not yet a recovery.
        assert_eq!(seen(ever_after(Told::Accepted)), Fate::StillDefers);
        assert_eq!(seen(|_| Told::Nothing), Fate::NeverUp);
    }
}
