//! Statements of the service, drawn at random.

use std::time::Duration;

use fastrand::Rng;
use holdfast_api::embedded::{EndRow, Entry, NewRequest, NewRow, WorkResult};
use holdfast_policy::Priority;
use holdfast_simulation::postgres::live::POISON;
use holdfast_simulation::world::id;
use holdfast_wire::JsonText;
use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{HELD, IDS, KEYS, LONGEST};

/// One statement of the service.
#[derive(Debug, Clone)]
pub(crate) enum Statement {
    Insert(Vec<NewRow>),
    InsertKeyed(Vec<NewRow>),
    Finish(Vec<EndRow>),
    Write(Vec<NewRow>, Vec<EndRow>),
    Record(Box<NewRequest>, WorkResult),
    RecordFailed(Box<NewRequest>),
    GiveUp(Uuid),
    Claim(u32, Duration),
    CompleteOpen(Uuid, String),
    /// Of the claim at this place.
    Extend(usize),
    GiveBack(usize),
    CountFailure(usize),
    Replay(Vec<Entry>),
    Refuse(Box<Entry>),
    Look(Uuid),
    LookUp(String),
    CountOpen,
    /// All that is done.
    Forget,
}

impl Statement {
    /// Any.
    pub(crate) fn draw(rng: &mut Rng, claims: usize) -> Self {
        let claim = |rng: &mut Rng| rng.usize(0..claims.max(1));
        match rng.u8(0..32) {
            0 | 1 => Self::Extend(claim(rng)),
            2 | 3 => Self::GiveBack(claim(rng)),
            4 | 5 => Self::CountFailure(claim(rng)),
            6..9 => Self::Replay(requests(rng).iter().map(|id| entry(rng, *id)).collect()),
            9 => Self::Refuse(Box::new(some_entry(rng))),
            10 => Self::Look(request(rng)),
            11 => Self::LookUp(key(rng)),
            12 => Self::GiveUp(request(rng)),
            13 => Self::CountOpen,
            14 => Self::Forget,
            15 => Self::RecordFailed(Box::new(whole(rng))),
            16 => Self::write(rng),
            _ => Self::draw_unclaimed(rng),
        }
    }

    /// One that asks nothing of a claim; what it claims it holds.
    pub(crate) fn draw_unclaimed(rng: &mut Rng) -> Self {
        match rng.u8(0..9) {
            0 => Self::Insert(new_rows(rng)),
            1 | 2 => Self::InsertKeyed(keyed_rows(rng)),
            3 | 4 => Self::Finish(end_rows(rng)),
            5 | 6 => Self::Claim(rng.u32(1..6), HELD),
            7 => Self::Record(Box::new(whole(rng)), result(rng)),
            _ => Self::CompleteOpen(request(rng), answer(rng)),
        }
    }

    /// Of different requests: nobody ends one before it is there.
    fn write(rng: &mut Rng) -> Self {
        let (new, mut ends) = (new_rows(rng), end_rows(rng));
        ends.retain(|end| new.iter().all(|row| row.id != end.id));
        Self::Write(new, ends)
    }

    /// Which claim it is about.
    pub(crate) fn claim(&self) -> Option<usize> {
        match self {
            Self::Extend(at) | Self::GiveBack(at) | Self::CountFailure(at) => Some(*at),
            _ => None,
        }
    }

    /// What it may lock.
    pub(crate) fn locks(&self) -> Vec<Uuid> {
        match self {
            // Of what is free and of what strayed as many as it may have, though it takes no more than that of both.
            Self::Claim(..) => (1..=IDS).map(|number| id(0, number)).collect(),
            Self::Insert(rows) | Self::InsertKeyed(rows) => rows.iter().map(|it| it.id).collect(),
            Self::Finish(rows) => rows.iter().map(|it| it.id).collect(),
            Self::Record(request, _) => vec![request.id],
            Self::CompleteOpen(id, _) => vec![*id],
            _ => vec![],
        }
    }
}

fn request(rng: &mut Rng) -> Uuid {
    id(0, rng.u64(1..=IDS))
}

/// Without two of one id, which no caller has.
fn requests(rng: &mut Rng) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = (0..rng.usize(1..4)).map(|_| request(rng)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn key(rng: &mut Rng) -> String {
    format!("key-{}", rng.u64(0..KEYS))
}

fn body(rng: &mut Rng) -> Option<String> {
    match rng.u8(0..8) {
        0 => Some(POISON.to_owned()),
        1..4 => Some(format!("{{\"body\": {}}}", rng.u8(0..2))),
        _ => None,
    }
}

fn new_row(rng: &mut Rng, id: Uuid, key: String) -> NewRow {
    NewRow {
        id,
        key,
        payload: body(rng),
        lease: rng.bool().then(|| lease(rng)),
    }
}

/// In seconds; one in three is longer than any can be.
fn lease(rng: &mut Rng) -> f64 {
    let lease = (LONGEST * 2).min(HELD * rng.u32(1..4) * rng.u32(1..3));
    lease.as_secs_f64()
}

fn new_rows(rng: &mut Rng) -> Vec<NewRow> {
    let ids = requests(rng);
    ids.iter()
        .map(|id| new_row(rng, *id, String::new()))
        .collect()
}

fn keyed_rows(rng: &mut Rng) -> Vec<NewRow> {
    let mut rows: Vec<NewRow> = vec![];
    for id in requests(rng) {
        let key = key(rng);
        // A key is under way once in a process.
        if rows.iter().all(|row| row.key != key) {
            rows.push(new_row(rng, id, key));
        }
    }
    rows
}

fn end_rows(rng: &mut Rng) -> Vec<EndRow> {
    let ids = requests(rng);
    let end = |id: &Uuid| {
        let response = rng.bool().then(|| answer(rng));
        // What is left to recovery counts nothing.
        let attempts = response.as_ref().map_or(0, |_| i32::from(rng.u8(1..3)));
        EndRow {
            id: *id,
            lease: response.is_none().then(|| lease(rng)),
            response,
            attempts,
        }
    };
    ids.iter().map(end).collect()
}

fn whole(rng: &mut Rng) -> NewRequest {
    NewRequest {
        priority: Priority::USUAL,
        id: request(rng),
        key: rng.bool().then(|| key(rng)),
        payload: body(rng).and_then(|it| RawValue::from_string(it).ok()),
        received_at: received_at(),
    }
}

fn result(rng: &mut Rng) -> WorkResult {
    WorkResult {
        response: JsonText::parse(answer(rng)).unwrap(),
        completed_at: received_at(),
        attempts: 1,
    }
}

fn answer(rng: &mut Rng) -> String {
    format!("{{\"n\":{}}}", rng.u8(0..4))
}

fn received_at() -> Timestamp {
    Timestamp::from_second(1_500_000_000).unwrap()
}

fn some_entry(rng: &mut Rng) -> Entry {
    let id = request(rng);
    entry(rng, id)
}

/// Ended long ago or far ahead, so that no clock decides.
fn entry(rng: &mut Rng, id: Uuid) -> Entry {
    let seconds = *rng.choice(&[1_600_000_000, 4_000_000_000]).unwrap();
    let completed_at = Timestamp::from_second(seconds + rng.i64(0..4)).unwrap();
    Entry {
        id,
        key: rng.bool().then(|| key(rng)),
        payload: body(rng).and_then(|it| RawValue::from_string(it).ok()),
        received_at: received_at(),
        end: rng.bool().then(|| WorkResult {
            response: JsonText::parse(answer(rng)).unwrap(),
            attempts: 1,
            completed_at,
        }),
    }
}
