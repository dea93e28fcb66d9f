//! A small run in which all goes well, and ways to have it go wrong.

use std::time::Duration;

use uuid::Uuid;

use crate::durability::{DurabilityReport, Row};
use crate::fixtures::{TrialFixture, plan};
use crate::load::{Answer, Attempt, Broken, CallHistory, Reply};
use crate::plan::{Fault, Kind, Target};
use crate::torture::evidence::{Again, Evidence, Tables, take_lost_by_failover};
use crate::torture::quiescent::QuiescentPhase;

pub(super) struct RunFixture {
    evidence: Evidence,
}

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

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn answer(status: u16, number: u64) -> Reply {
    Reply::Answer(Answer {
        status,
        request_id: Some(id(number)),
        recorded_in: Some("database".to_owned()),
        has_result: true,
        ..Answer::default()
    })
}

fn recorded(id: Uuid, key: String, status: &str) -> Row {
    Row {
        id,
        key,
        status: status.to_owned(),
        error: String::new(),
        result: Some("{}".to_owned()),
    }
}

fn made(reply: Reply, from: f64, to: f64) -> Attempt {
    Attempt {
        api: 0,
        from: seconds(from),
        to: seconds(to),
        reply,
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
        let scene = Self {
            evidence: Evidence {
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
            },
        };
        let scene = scene.history(3, |history| {
            if let Reply::Answer(answer) = &mut history.attempts[0].reply {
                answer.degraded = vec!["worker_unavailable:circuit_open".to_owned()];
            }
        });
        let scene = scene.without_outages();
        scene.outage(Target::Database, 50.0, 52.0)
    }

    fn tables(&mut self) -> &mut Tables {
        self.evidence.tables.as_mut().unwrap()
    }

    pub(super) fn without_outages(mut self) -> Self {
        self.evidence.experiment.faults.clear();
        self.evidence.trial.faults.clear();
        self
    }

    pub(super) fn published(mut self, bound: f64) -> Self {
        self.evidence.published = vec![seconds(bound)];
        self
    }

    pub(super) fn all(mut self, change: impl Fn(&mut Answer)) -> Self {
        for history in &mut self.evidence.histories {
            if let Reply::Answer(answer) = &mut history.attempts[0].reply {
                change(answer);
            }
        }
        self
    }

    pub(super) fn evidence(mut self) -> Evidence {
        let accepted = self.evidence.histories.iter();
        let accepted: Vec<_> = accepted.filter_map(CallHistory::accepted).collect();
        let tables = self.tables();
        tables.report = DurabilityReport::of(&accepted, tables.rows.clone());
        let it = &mut self.evidence;
        if let Some(tables) = &mut it.tables {
            let (faults, seen) = (&it.experiment.faults, &it.trial.faults);
            it.lost_by_failover = take_lost_by_failover(&mut it.histories, faults, seen, tables);
        }
        self.evidence
    }

    pub(super) fn without_row(mut self, number: u64) -> Self {
        self.tables().rows.retain(|row| row.id != id(number));
        self
    }

    pub(super) fn with_row(mut self, number: u64, status: &str) -> Self {
        let own = |row: &&mut Row| row.id == id(number);
        let row = self.tables().rows.iter_mut().find(own).unwrap();
        row.status = status.to_owned();
        self
    }

    /// A row more for request `number`, under the id `other`.
    pub(super) fn with_another_row(mut self, number: u64, other: u64) -> Self {
        let row = recorded(id(other), key(number), "done");
        self.tables().rows.push(row);
        self
    }

    /// A row that no promise leads to.
    pub(super) fn with_stranger(mut self, number: u64, status: &str) -> Self {
        let row = recorded(id(number), String::new(), status);
        self.tables().rows.push(row);
        self
    }

    /// The result that request `number` is recorded with.
    pub(super) fn recorded_result(mut self, number: u64, result: &str) -> Self {
        let own = |row: &&mut Row| row.id == id(number);
        let row = self.tables().rows.iter_mut().find(own).unwrap();
        row.result = Some(result.to_owned());
        self
    }

    pub(super) fn tried_twice(self, number: u64, before: Broken) -> Self {
        let broken = made(Reply::Broken(before), 9.9, 9.95);
        self.history(number, |history| history.attempts.insert(0, broken))
    }

    pub(super) fn keys(mut self, number: u64, ids: &[Uuid]) -> Self {
        let keys = &mut self.tables().keys;
        keys.retain(|(known, _)| *known != key(number));
        keys.extend(ids.iter().map(|id| (key(number), *id)));
        self
    }

    pub(super) fn again(mut self, number: u64, status: u16, as_id: u64) -> Self {
        assert_eq!(self.evidence.again[0].key, key(number));
        self.evidence.again[0].same = made(answer(status, as_id), 90.0, 90.1);
        self
    }

    pub(super) fn other_body(mut self, number: u64, status: u16) -> Self {
        assert_eq!(self.evidence.again[0].key, key(number));
        self.evidence.again[0].other = made(answer(status, number), 90.0, 90.1);
        self
    }

    pub(super) fn replicas(mut self, replicas: usize) -> Self {
        self.evidence.replicas = replicas;
        self
    }

    pub(super) fn outage(mut self, target: Target, from: f64, to: f64) -> Self {
        let scene = TrialFixture {
            trial: self.evidence.trial,
        };
        self.evidence.trial = scene.fault(target, seconds(from), seconds(to)).trial;
        self.evidence.experiment.faults.push(Fault {
            target,
            kind: Kind::Kill,
            at: seconds(from),
            lasts: seconds(to - from),
        });
        self
    }

    /// Postgres fails over, and lacks what was recorded last.
    pub(super) fn fails_over(mut self, at: f64) -> Self {
        self = self.outage(Target::Database, at, at + 1.0);
        let fault = self.evidence.experiment.faults.last_mut().unwrap();
        fault.kind = Kind::LossyFailover;
        self
    }

    /// Sent at 10 s.
    pub(super) fn put_off(self, number: u64, recorded_in: &str, answered: f64) -> Self {
        let mut reply = answer(202, number);
        if let Reply::Answer(answer) = &mut reply {
            answer.recorded_in = Some(recorded_in.to_owned());
        }
        self.history(number, |history| {
            history.attempts = vec![made(reply, 10.0, answered)];
        })
    }

    pub(super) fn refused(self, number: u64, status: u16, code: Option<&str>) -> Self {
        let reply = Reply::Answer(Answer {
            status,
            code: code.map(str::to_owned),
            ..Answer::default()
        });
        self.history(number, |history| {
            history.attempts = vec![made(reply, 10.0, 10.1)];
        })
    }

    pub(super) fn given_up(self, number: u64, why: Broken, from: f64, to: f64) -> Self {
        let reply = Reply::Broken(why);
        self.history(number, |history| {
            history.attempts = vec![made(reply, from, to)];
        })
    }

    pub(super) fn answered_at(self, number: u64, from: f64, to: f64) -> Self {
        let reply = answer(200, number);
        self.history(number, |history| {
            history.attempts = vec![made(reply, from, to)];
        })
    }

    fn history(mut self, number: u64, change: impl FnOnce(&mut CallHistory)) -> Self {
        let own = |history: &&mut CallHistory| history.number == number;
        change(self.evidence.histories.iter_mut().find(own).unwrap());
        self
    }
}
