//! What is going to happen, drawn from a seed: calls, and faults with their beginnings and ends. Data, so that it can be
//! shortened.

use std::fmt;

use fastrand::Rng;

use crate::fault::{Kind, choice};

/// A whole run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where all else that is drawn at random comes from.
    pub seed: u64,
    /// How many replicas there are.
    pub replicas: u8,
    /// What the worker takes, in milliseconds: from, to.
    pub work: (u64, u64),
    /// How many works it does at once.
    pub capacity: usize,
    /// In the order of their beginnings.
    pub calls: Vec<Call>,
    /// In the order of their beginnings.
    pub faults: Vec<Fault>,
}

/// What one client asks for.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Milliseconds after the start.
    pub at: u64,
    /// Whom it asks first.
    pub replica: u8,
    /// Its idempotency key.
    pub key: Option<u8>,
    /// Whether Postgres refuses its body.
    pub poison: bool,
    /// After how many milliseconds it hangs up.
    pub leaves: Option<u64>,
    /// How often it asks again, under its key: until it is promised something, and once more.
    pub repeats: u8,
}

/// Something goes wrong for a while.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Milliseconds after the start.
    pub at: u64,
    /// For how many milliseconds.
    pub lasts: u64,
    /// What.
    pub kind: Kind,
}

/// How long clients come, in milliseconds.
pub(crate) const LOAD: u64 = 20_000;
/// Between two of those that come after that, in milliseconds.
const PAUSE: usize = 3_000;
/// One seed in so many stands for a quiet run.
const QUIET: u64 = 32;

impl Plan {
    /// What `seed` stands for.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        if seed % QUIET == QUIET - 1 {
            return Self::quiet(seed, &mut rng);
        }
        let replicas = *choice(&mut rng, &[1, 1, 2, 2, 3]);
        // Not all kinds in every run: some defects show only where others keep out of the way.
        let kinds: Vec<Kind> = (0..rng.usize(1..=5))
            .map(|_| Kind::draw(&mut rng, replicas))
            .collect();
        let mut faults: Vec<Fault> = (0..rng.usize(0..=7))
            .map(|_| fault(&mut rng, &kinds, replicas))
            .collect();
        faults.sort_by_key(|fault| fault.at);
        let (count, keyed, poisoned) = (rng.u64(30..300), rng.bool(), rng.u8(0..4) == 0);
        let leaving = rng.u8(0..3) == 0;
        let mut calls: Vec<Call> = (0..count)
            .map(|_| call(&mut rng, replicas, keyed, poisoned, leaving))
            .collect();
        calls.sort_by_key(|call| call.at);
        let slow = rng.u64(20..2000);
        calls.extend(stragglers(&mut rng, replicas, &faults));
        Self {
            seed,
            replicas,
            work: (slow / 2, slow),
            capacity: *choice(&mut rng, &[1000, 1000, 20]),
            calls,
            faults,
        }
    }

    /// Few clients, some work put off, and recovery's own statements slow: where so few live calls succeed, whatever recovery
    /// meets would show, if it decided for them.
    fn quiet(seed: u64, rng: &mut Rng) -> Self {
        let at = rng.u64(1_000..4_000);
        let fault = |lasts, kind| Fault { at, lasts, kind };
        let faults = vec![
            fault(rng.u64(1_000..4_000), Kind::WorkerDies),
            fault(
                rng.u64(10_000..20_000),
                Kind::CatchingUpSlow(rng.u64(500..1_500)),
            ),
        ];
        let mut calls: Vec<Call> = (0..rng.u64(10..25))
            .map(|_| Call {
                at: rng.u64(0..LOAD + 5_000),
                ..Call::plain(0)
            })
            .collect();
        calls.sort_by_key(|call| call.at);
        Self {
            seed,
            replicas: 1,
            work: (20, 200),
            capacity: 1000,
            calls,
            faults,
        }
    }

    /// So many calls, one each millisecond, and nothing broken.
    pub(crate) fn steady(calls: u64) -> Self {
        let call = |at| Call {
            at,
            ..Call::plain(0)
        };
        Self {
            seed: 0,
            replicas: 1,
            work: (20, 40),
            capacity: 1000,
            calls: (0..calls).map(call).collect(),
            faults: vec![],
        }
    }

    /// When the last fault has ended, in milliseconds after the start.
    pub(crate) fn healed_at(&self) -> u64 {
        let ends = self.faults.iter().map(|fault| fault.at + fault.lasts);
        let last_call = self.calls.last().map(|call| call.at);
        ends.chain(last_call).max().unwrap_or(0).max(LOAD)
    }
}

impl Call {
    /// One that asks `replica` for work, once.
    pub(crate) fn plain(replica: u8) -> Self {
        Self {
            at: 0,
            replica,
            key: None,
            poison: false,
            leaves: None,
            repeats: 0,
        }
    }
}

fn call(rng: &mut Rng, replicas: u8, keyed: bool, poisoned: bool, leaving: bool) -> Call {
    let key = (keyed && rng.bool()).then(|| rng.u8(0..40));
    Call {
        at: rng.u64(0..LOAD),
        replica: rng.u8(0..replicas),
        key,
        poison: poisoned && rng.u8(0..20) == 0,
        leaves: (leaving && rng.u8(0..6) == 0).then(|| rng.u64(0..3000)),
        repeats: key.map_or(0, |_| rng.u8(0..4)),
    }
}

/// The few who come while faults outlast the load: what opens a breaker in so quiet a time is not what they did.
fn stragglers(rng: &mut Rng, replicas: u8, faults: &[Fault]) -> Vec<Call> {
    let last = faults.iter().map(|fault| fault.at + fault.lasts).max();
    let times = (LOAD..last.unwrap_or(LOAD)).step_by(PAUSE);
    let straggler = |at| Call {
        at,
        ..Call::plain(rng.u8(0..replicas))
    };
    times.map(straggler).collect()
}

fn fault(rng: &mut Rng, kinds: &[Kind], replicas: u8) -> Fault {
    let (kind, replica) = (*choice(rng, kinds), rng.u8(0..replicas));
    // A replica that is away for longer than a lease comes back to work that somebody else has done: so two ends meet.
    let is_away = matches!(kind, Kind::Freeze(_) | Kind::CutFromDatabase(..));
    let is_long = is_away && rng.bool();
    let lasts = match rng.u8(0..10) {
        _ if is_long => rng.u64(12_000..25_000),
        0 => rng.u64(8_000..25_000),
        1..4 => rng.u64(10..500),
        _ => rng.u64(500..8_000),
    };
    Fault {
        at: rng.u64(0..LOAD),
        lasts,
        kind: kind.at(replica),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            replicas,
            work,
            capacity,
            ..
        } = self;
        writeln!(
            f,
            "  {replicas} replicas, work takes {} to {} ms, {capacity} at once",
            work.0, work.1
        )?;
        for Fault { at, lasts, kind } in &self.faults {
            writeln!(f, "  {at:>6} ms, for {lasts} ms: {kind:?}")?;
        }
        for call in self.calls.iter().take(20) {
            writeln!(f, "  {:>6} ms: {call:?}", call.at)?;
        }
        let more = self.calls.len().saturating_sub(20);
        if more > 0 {
            writeln!(f, "  and {more} calls more")?;
        }
        Ok(())
    }
}
