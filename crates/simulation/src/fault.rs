//! What can go wrong in the world.

use fastrand::Rng;

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

impl Kind {
    /// One of `replicas`, or of what they share.
    pub(crate) fn draw(rng: &mut Rng, replicas: u8) -> Self {
        let replica = rng.u8(0..replicas);
        match rng.u8(0..26) {
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
            23 | 24 => Kind::CatchingUpSlow(rng.u64(500..1500)),
            _ => *choice(rng, &[Kind::DiskFull(replica), Kind::SyncFails(replica)]),
        }
    }

    /// As the trace has it.
    pub(crate) fn name(self) -> &'static str {
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
    pub(crate) fn at(self, replica: u8) -> Self {
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

/// One of these.
pub(crate) fn choice<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(0..from.len())]
}
