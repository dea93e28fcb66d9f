//! A small run in which all goes well, and ways to have it go wrong.

use std::time::Duration;

use uuid::Uuid;

use crate::check::{Ledger, Row};
use crate::load::{Answer, Broken, Outcome, Reply, Try};
use crate::torture::evidence::{Again, Evidence, Hurt};
use crate::torture::schedule::{Kind, Target};

pub(super) struct Scene {
    evidence: Evidence,
    rows: Vec<Row>,
}

pub(super) fn id(number: u64) -> Uuid {
    Uuid::from_u128(u128::from(number))
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
        ..Answer::default()
    })
}

fn made(reply: Reply, from: f64, to: f64) -> Try {
    Try {
        api: 0,
        from: seconds(from),
        to: seconds(to),
        reply,
    }
}

impl Scene {
    /// Two requests, at 10 s, done; one replica with a bound of 4 s; the first asked for again.
    pub(super) fn well() -> Self {
        let outcome = |number| Outcome {
            number,
            key: key(number),
            intended: seconds(10.0),
            tries: vec![made(answer(200, number), 10.0, 10.3)],
        };
        let row = |number| Row {
            id: id(number),
            status: "done".to_owned(),
            has_result: true,
            error: String::new(),
        };
        Self {
            evidence: Evidence {
                replicas: 1,
                bound: seconds(4.0),
                try_for: seconds(6.0),
                hurts: Vec::new(),
                outcomes: vec![outcome(1), outcome(2)],
                fell: Vec::new(),
                left: Vec::new(),
                ledger: Ledger::default(),
                rows: vec![(id(1), key(1)), (id(2), key(2))],
                keys: vec![(key(1), id(1)), (key(2), id(2))],
                again: vec![Again {
                    key: key(1),
                    id: id(1),
                    same: made(answer(200, 1), 90.0, 90.1),
                    other: made(answer(422, 1), 90.1, 90.2),
                }],
                worker_calls: 2,
                worker_calls_again: 0,
            },
            rows: vec![row(1), row(2)],
        }
    }

    pub(super) fn evidence(mut self) -> Evidence {
        let accepted = self.evidence.outcomes.iter();
        let accepted: Vec<_> = accepted.filter_map(Outcome::accepted).collect();
        self.evidence.ledger = Ledger::of(&accepted, self.rows);
        self.evidence
    }

    pub(super) fn without_row(mut self, number: u64) -> Self {
        self.rows.retain(|row| row.id != id(number));
        self
    }

    pub(super) fn with_row(mut self, number: u64, status: &str) -> Self {
        let own = |row: &&mut Row| row.id == id(number);
        self.rows.iter_mut().find(own).unwrap().status = status.to_owned();
        self
    }

    /// A row more for request `number`, under the id `other`.
    pub(super) fn with_another_row(mut self, number: u64, other: u64) -> Self {
        let mut row = self.rows[0].clone();
        row.id = id(other);
        self.rows.push(row);
        self.evidence.rows.push((id(other), key(number)));
        self
    }

    pub(super) fn tried_twice(self, number: u64) -> Self {
        let broken = made(Reply::Broken(Broken::Reset), 9.9, 9.95);
        self.outcome(number, |outcome| outcome.tries.insert(0, broken))
    }

    pub(super) fn keys(mut self, number: u64, ids: &[Uuid]) -> Self {
        self.evidence
            .keys
            .retain(|(known, _)| *known != key(number));
        self.evidence
            .keys
            .extend(ids.iter().map(|id| (key(number), *id)));
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

    pub(super) fn called_again(mut self, calls: u64) -> Self {
        self.evidence.worker_calls_again = calls;
        self
    }

    pub(super) fn replicas(mut self, replicas: usize) -> Self {
        self.evidence.replicas = replicas;
        self
    }

    pub(super) fn hurt(mut self, target: Target, from: f64, to: f64) -> Self {
        self.evidence.hurts.push(Hurt {
            target,
            kind: Kind::Kill,
            from: seconds(from),
            to: seconds(to),
        });
        self
    }

    pub(super) fn refused(self, number: u64, status: u16, code: Option<&str>) -> Self {
        let reply = Reply::Answer(Answer {
            status,
            code: code.map(str::to_owned),
            ..Answer::default()
        });
        self.outcome(number, |outcome| {
            outcome.tries = vec![made(reply, 10.0, 10.1)];
        })
    }

    pub(super) fn given_up(self, number: u64, why: Broken, from: f64, to: f64) -> Self {
        let reply = Reply::Broken(why);
        self.outcome(number, |outcome| {
            outcome.tries = vec![made(reply, from, to)];
        })
    }

    pub(super) fn answered_at(self, number: u64, from: f64, to: f64) -> Self {
        let reply = answer(200, number);
        self.outcome(number, |outcome| {
            outcome.tries = vec![made(reply, from, to)];
        })
    }

    fn outcome(mut self, number: u64, change: impl FnOnce(&mut Outcome)) -> Self {
        let own = |outcome: &&mut Outcome| outcome.number == number;
        change(self.evidence.outcomes.iter_mut().find(own).unwrap());
        self
    }
}
