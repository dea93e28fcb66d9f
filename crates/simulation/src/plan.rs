//! What is going to happen, drawn from a seed: calls, and faults with their beginnings and ends. Data, so that it can be
//! shortened.

use std::fmt;

use fastrand::Rng;

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

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Postgres is dead.
    DatabaseDies,
    /// It hangs with its port open.
    DatabaseHangs,
    /// Its statements take so many milliseconds more.
    DatabaseSlow(u64),
    /// Recovery's statements take so many milliseconds more.
    CatchingUpSlow(u64),
    /// So many of a hundred answers are lost after the commit.
    AnswersLost(u8),
    /// It takes no writes.
    ReadOnly,
    /// Its table of keys is gone.
    SchemaOutdated,
    /// Somebody locks open rows and keys.
    Locks,
    /// It dies; at the end a standby takes over that lags by so many milliseconds.
    FailsOver(u64),
    /// Its clock is off by so many seconds.
    DatabaseClock(i64),
    /// The worker is dead.
    WorkerDies,
    /// It hangs with its port open.
    WorkerHangs,
    /// It answers everybody with this status.
    WorkerAnswers(u16),
    /// It takes so many milliseconds.
    WorkerSlow(u64),
    /// A replica is killed and started again at the end.
    Crash(u8),
    /// A replica stops with its ports open.
    Freeze(u8),
    /// A replica's clock is off by so many seconds.
    Clock(u8, i64),
    /// A replica has no way to Postgres: refused, or silence.
    CutFromDatabase(u8, bool),
    /// A replica has no way to the worker: refused, or silence.
    CutFromWorker(u8, bool),
    /// A replica's disk hangs.
    DiskHangs(u8),
    /// A replica's disk is full.
    DiskFull(u8),
    /// A replica's disk fails one sync.
    SyncFails(u8),
}

/// How long clients come, in milliseconds.
pub const LOAD: u64 = 20_000;

impl Plan {
    /// What `seed` stands for.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let replicas = *choice(&mut rng, &[1, 1, 2, 2, 3]);
        // Not all kinds in every run: some defects show only where others keep out of the way.
        let kinds: Vec<Kind> = (0..rng.usize(1..=5))
            .map(|_| kind(&mut rng, replicas))
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
        Self {
            seed,
            replicas,
            work: (slow / 2, slow),
            capacity: *choice(&mut rng, &[1000, 1000, 20]),
            calls,
            faults,
        }
    }

    /// When the last fault has ended, in milliseconds after the start.
    #[must_use]
    pub fn healed_at(&self) -> u64 {
        let ends = self.faults.iter().map(|fault| fault.at + fault.lasts);
        ends.max().unwrap_or(0).max(LOAD)
    }
}

impl Call {
    /// One that asks `replica` for work, once.
    #[must_use]
    pub fn plain(replica: u8) -> Self {
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

fn choice<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(0..from.len())]
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

fn fault(rng: &mut Rng, kinds: &[Kind], replicas: u8) -> Fault {
    let (kind, replica) = (*choice(rng, kinds), rng.u8(0..replicas));
    // A replica that is away for longer than a lease comes back to work that somebody else has done.
    let is_long = matches!(kind, Kind::Freeze(_)) && rng.bool();
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

fn kind(rng: &mut Rng, replicas: u8) -> Kind {
    let replica = rng.u8(0..replicas);
    match rng.u8(0..25) {
        0 | 1 => Kind::DatabaseDies,
        2 | 3 => Kind::DatabaseHangs,
        4 => Kind::DatabaseSlow(rng.u64(50..1500)),
        5 => Kind::AnswersLost(rng.u8(5..60)),
        6 => Kind::ReadOnly,
        7 => Kind::SchemaOutdated,
        8 => Kind::Locks,
        9 => Kind::FailsOver(*choice(rng, &[0, 500, 3000])),
        10 => Kind::DatabaseClock(rng.i64(-60..60)),
        11 | 12 => Kind::WorkerDies,
        13 => Kind::WorkerHangs,
        14 => Kind::WorkerAnswers(*choice(rng, &[500, 503, 404, 401])),
        15 => Kind::WorkerSlow(rng.u64(1000..6000)),
        16 | 17 => Kind::Crash(replica),
        18 => Kind::Freeze(replica),
        19 => Kind::Clock(replica, rng.i64(-30..30)),
        20 => Kind::CutFromDatabase(replica, rng.bool()),
        21 => Kind::CutFromWorker(replica, rng.bool()),
        22 => Kind::DiskHangs(replica),
        23 => Kind::CatchingUpSlow(rng.u64(500..1500)),
        _ => *choice(rng, &[Kind::DiskFull(replica), Kind::SyncFails(replica)]),
    }
}

impl Kind {
    /// As the trace has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DatabaseDies => "database dies",
            Self::DatabaseHangs => "database hangs",
            Self::DatabaseSlow(_) => "database slow",
            Self::CatchingUpSlow(_) => "catching up slow",
            Self::AnswersLost(_) => "answers lost",
            Self::ReadOnly => "read only",
            Self::SchemaOutdated => "schema outdated",
            Self::Locks => "locks",
            Self::FailsOver(_) => "fails over",
            Self::DatabaseClock(_) => "database clock",
            Self::WorkerDies => "worker dies",
            Self::WorkerHangs => "worker hangs",
            Self::WorkerAnswers(_) => "worker refuses",
            Self::WorkerSlow(_) => "worker slow",
            Self::Crash(_) => "crash",
            Self::Freeze(_) => "freeze",
            Self::Clock(..) => "clock",
            Self::CutFromDatabase(..) => "cut from database",
            Self::CutFromWorker(..) => "cut from worker",
            Self::DiskHangs(_) => "disk hangs",
            Self::DiskFull(_) => "disk full",
            Self::SyncFails(_) => "sync fails",
        }
    }

    /// The same, of another replica.
    fn at(self, replica: u8) -> Self {
        match self {
            Self::Crash(_) => Self::Crash(replica),
            Self::Freeze(_) => Self::Freeze(replica),
            Self::Clock(_, by) => Self::Clock(replica, by),
            Self::CutFromDatabase(_, silent) => Self::CutFromDatabase(replica, silent),
            Self::CutFromWorker(_, silent) => Self::CutFromWorker(replica, silent),
            Self::DiskHangs(_) => Self::DiskHangs(replica),
            Self::DiskFull(_) => Self::DiskFull(replica),
            Self::SyncFails(_) => Self::SyncFails(replica),
            other => other,
        }
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
