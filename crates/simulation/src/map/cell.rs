//! One cell: a load and a trigger, and when its calls come.

use std::time::Duration;

use fastrand::Rng;

use super::{CAPACITY, SETTLES, STEPS, WARM, WORK};

/// A place on the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Calls, in percent of what the worker can do.
    pub(crate) load: u32,
    /// For how many seconds the worker stands still.
    pub(crate) pause: u32,
}

impl Cell {
    pub(crate) const COUNT: usize = (STEPS * STEPS) as usize;

    /// All, load by load.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let loads = (1..=STEPS).map(|step| step * 100 / STEPS);
        loads.flat_map(|load| (1..=STEPS).map(move |pause| Self { load, pause }))
    }

    /// Its place among all.
    pub(crate) fn index(self) -> usize {
        ((self.load * STEPS / 100 - 1) * STEPS + self.pause - 1) as usize
    }

    /// When the worker goes on.
    pub(crate) fn resumes(self) -> Duration {
        WARM + Duration::from_secs(self.pause.into())
    }

    /// When the last call comes.
    pub(crate) fn ends(self) -> Duration {
        self.resumes() + SETTLES
    }

    /// When calls come: evenly, each anywhere in its share of the time.
    pub(crate) fn arrivals(self) -> Vec<Duration> {
        let mut rng = Rng::with_seed(u64::from(self.load) << 32 | u64::from(self.pause));
        let every = WORK.as_secs_f64() / f64::from(CAPACITY) * 100.0 / f64::from(self.load);
        let count = (self.ends().as_secs_f64() / every).floor();
        let mut arrivals = vec![];
        let mut share = 0.0;
        while share < count {
            arrivals.push(Duration::from_secs_f64((share + rng.f64()) * every));
            share += 1.0;
        }
        arrivals
    }
}
