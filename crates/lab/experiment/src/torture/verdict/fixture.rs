//! A small run in which all goes well, and ways to have it go wrong.

use std::time::Duration;

use uuid::Uuid;

use crate::durability::{DurabilityReport, Row};
use crate::fixtures::{TrialFixture, plan};
use crate::load::{Answer, Attempt, CallHistory, Completion};
use crate::plan::{Fault, Kind, Target};
use crate::torture::evidence::{Again, Evidence, Tables, take_lost_by_failover};
use crate::torture::quiescent::QuiescentPhase;

pub(super) struct RunFixture(Evidence);

pub(super) fn id(number: u64) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

/// What does not hold.
pub(super) fn rules(scene: RunFixture) -> Vec<String> {
    let checks = super::verdict(&scene.evidence()).checks.into_iter();
    let broken = checks.filter(|check| !check.holds);
    broken.map(|check| check.name).collect()
}

fn key(number: u64) -> String {
    format!("key-{number}")
}

pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

pub(super) fn answer(status: u16, number: u64) -> Completion {
    Completion::Answered(Answer {
        status,
        request_id: Some(id(number)),
        recorded_in: Some("database".to_owned()),
        has_result: true,
        ..Answer::default()
    })
}

/// In the table, with a result.
pub(super) fn recorded(id: Uuid, key: String, status: &str) -> Row {
    Row {
        id,
        key,
        status: status.to_owned(),
        error: String::new(),
        result: Some("{}".to_owned()),
    }
}

pub(super) fn made(end: Completion, from: f64, to: f64) -> Attempt {
    let (from, to) = (seconds(from), seconds(to));
    Attempt {
        api: 0,
        from,
        to,
        end,
    }
}

impl RunFixture {
    /// Three requests, at 10 s, done, the third without the database, which is dead for a while; one replica with a bound
    /// of 4 s; the first request asked for again.
    pub(super) fn well() -> Self {
        let history = |number| CallHistory {
            number,
            key: key(number),
            intended: seconds(10.0),
            surge: false,
            attempts: vec![made(answer(200, number), 10.0, 10.3)],
        };
        let (mut experiment, mut trial) = (plan(), TrialFixture::resilient().trial);
        experiment.load.try_for = Some(seconds(6.0));
        trial.bound = seconds(4.0);
        let scene = Self(Evidence {
            experiment,
            trial,
            replicas: 1,
            published: vec![seconds(4.0)],
            histories: [1, 2, 3].map(history).into(),
            not_healed: Vec::new(),
            left: Vec::new(),
            tables: Some(Tables {
                report: DurabilityReport::default(),
                rows: [1, 2, 3].map(|it| recorded(id(it), key(it), "done")).into(),
                keys: [1, 2, 3].map(|it| (key(it), id(it))).into(),
            }),
            again: vec![Again {
                key: key(1),
                id: id(1),
                same: made(answer(200, 1), 90.0, 90.1),
                other: made(answer(422, 1), 90.1, 90.2),
            }],
            worker_calls: Some(3),
            worker_calls_again: Some(0),
            quiescent: QuiescentPhase {
                sent: 80,
                whole: 80,
                calls: Some(80),
            },
            lost_by_failover: Vec::new(),
        });
        let lacks = |it: &mut Answer| it.degraded = vec!["worker_unavailable:x".to_owned()];
        let scene = scene.with(|it| change_answer(&mut it.histories[2], lacks));
        let scene = scene.without_outages();
        scene.outage(Target::Database, 50.0, 52.0)
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Evidence)) -> Self {
        change(&mut self.0);
        self
    }

    pub(super) fn without_outages(self) -> Self {
        self.with(|it| {
            it.experiment.faults.clear();
            it.trial.faults.clear();
        })
    }

    pub(super) fn all(self, change: impl Fn(&mut Answer)) -> Self {
        self.with(|it| {
            for history in &mut it.histories {
                change_answer(history, &change);
            }
        })
    }

    pub(super) fn evidence(self) -> Evidence {
        let mut it = self.0;
        let accepted = it.histories.iter().filter_map(CallHistory::accepted);
        let accepted: Vec<_> = accepted.collect();
        let tables = it.tables.as_mut().unwrap();
        tables.report = DurabilityReport::of(&accepted, tables.rows.clone());
        let (faults, seen) = (&it.experiment.faults, &it.trial.faults);
        it.lost_by_failover = take_lost_by_failover(&mut it.histories, faults, seen, tables);
        it
    }

    pub(super) fn rows(self, change: impl FnOnce(&mut Vec<Row>)) -> Self {
        self.with(|it| change(&mut it.tables.as_mut().unwrap().rows))
    }

    /// Of request `number`.
    pub(super) fn row(self, number: u64, change: impl FnOnce(&mut Row)) -> Self {
        let own = |row: &&mut Row| row.id == id(number);
        self.rows(|rows| change(rows.iter_mut().find(own).unwrap()))
    }

    pub(super) fn without_row(self, number: u64) -> Self {
        self.rows(|rows| rows.retain(|row| row.id != id(number)))
    }

    /// A row more for request `number`, under the id `other`.
    pub(super) fn with_another_row(self, number: u64, other: u64) -> Self {
        self.rows(|rows| rows.push(recorded(id(other), key(number), "done")))
    }

    pub(super) fn tried_twice(self, number: u64, before: Completion) -> Self {
        let broken = made(before, 9.9, 9.95);
        self.history(number, |history| history.attempts.insert(0, broken))
    }

    pub(super) fn keys(self, number: u64, ids: &[Uuid]) -> Self {
        self.with(|it| {
            let keys = &mut it.tables.as_mut().unwrap().keys;
            keys.retain(|(known, _)| *known != key(number));
            keys.extend(ids.iter().map(|id| (key(number), *id)));
        })
    }

    /// The first request, asked for once more, is answered so.
    pub(super) fn again(self, status: u16, as_id: u64) -> Self {
        self.with(|it| it.again[0].same = made(answer(status, as_id), 90.0, 90.1))
    }

    pub(super) fn outage(self, target: Target, from: f64, to: f64) -> Self {
        let (from, to) = (seconds(from), seconds(to));
        self.with(|it| {
            let scene = TrialFixture {
                trial: it.trial.clone(),
            };
            it.trial = scene.fault(target, from, to).trial;
            it.experiment.faults.push(Fault {
                target,
                kind: Kind::Kill,
                at: from,
                lasts: to - from,
            });
        })
    }

    /// Postgres fails over, and lacks what was recorded last.
    pub(super) fn fails_over(self, at: f64) -> Self {
        let scene = self.outage(Target::Database, at, at + 1.0);
        scene.with(|it| it.experiment.faults.last_mut().unwrap().kind = Kind::LossyFailover)
    }

    /// Sent at 10 s.
    pub(super) fn put_off(self, number: u64, recorded_in: &str, answered: f64) -> Self {
        let place = |answer: &mut Answer| answer.recorded_in = Some(recorded_in.to_owned());
        let scene = self.tried(number, answer(202, number), 10.0, answered);
        scene.history(number, |history| change_answer(history, place))
    }

    pub(super) fn refused(self, number: u64, status: u16, code: Option<&str>) -> Self {
        let refusal = Completion::Answered(Answer {
            status,
            code: code.map(str::to_owned),
            ..Answer::default()
        });
        self.tried(number, refusal, 10.0, 10.1)
    }

    /// Once, and with this end.
    pub(super) fn tried(self, number: u64, end: Completion, from: f64, to: f64) -> Self {
        let attempts = vec![made(end, from, to)];
        self.history(number, |history| history.attempts = attempts)
    }

    fn history(self, number: u64, change: impl FnOnce(&mut CallHistory)) -> Self {
        let own = |history: &&mut CallHistory| history.number == number;
        self.with(|it| change(it.histories.iter_mut().find(own).unwrap()))
    }
}

fn change_answer(history: &mut CallHistory, change: impl Fn(&mut Answer)) {
    if let Completion::Answered(answer) = &mut history.attempts[0].end {
        change(answer);
    }
}
