//! Statements of the service, drawn at random.

use std::time::Duration;

use fastrand::Rng;
use holdfast_api::embedded::{End, EndRow, Entry, NewRow};
use holdfast_simulation::world::id;
use holdfast_wire::JsonText;
use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{HELD, IDS, KEYS};

/// One statement of the service.
#[derive(Debug, Clone)]
pub enum Statement {
    Insert(Vec<NewRow>),
    InsertKeyed(Vec<NewRow>),
    Finish(Vec<EndRow>),
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

fn new_row(rng: &mut Rng, id: Uuid, key: String) -> NewRow {
    NewRow {
        id,
        key,
        payload: rng
            .bool()
            .then(|| format!("{{\"body\": {}}}", rng.u8(0..2))),
        lease: rng.bool().then_some(HELD.as_secs_f64()),
    }
}

fn keyed_rows(rng: &mut Rng) -> Vec<NewRow> {
    let mut keys = vec![];
    let mut rows = vec![];
    for id in requests(rng) {
        let key = key(rng);
        // A key is under way once in a process.
        if !keys.contains(&key) {
            rows.push(new_row(rng, id, key.clone()));
            keys.push(key);
        }
    }
    rows
}

fn end_row(rng: &mut Rng, id: Uuid) -> EndRow {
    EndRow {
        id,
        response: rng.bool().then(|| answer(rng)),
        attempts: i32::from(rng.u8(0..3)),
    }
}

fn answer(rng: &mut Rng) -> String {
    format!("{{\"n\":{}}}", rng.u8(0..4))
}

/// Long ago or far ahead, so that no clock decides.
fn entry(rng: &mut Rng, id: Uuid) -> Entry {
    let seconds = if rng.bool() {
        1_600_000_000
    } else {
        4_000_000_000
    };
    let completed_at = Timestamp::from_second(seconds + rng.i64(0..4)).unwrap();
    Entry {
        id,
        key: rng.bool().then(|| key(rng)),
        payload: RawValue::from_string("[1.50]".to_owned())
            .ok()
            .filter(|_| rng.bool()),
        received_at: Timestamp::from_second(1_500_000_000).unwrap(),
        end: rng.bool().then(|| End {
            response: JsonText::parse(answer(rng)).unwrap(),
            attempts: 1,
            completed_at,
        }),
    }
}

impl Statement {
    /// Any.
    pub fn draw(rng: &mut Rng, claims: usize) -> Self {
        let claim = |rng: &mut Rng| rng.usize(0..claims.max(1));
        match rng.u8(0..16) {
            0 => Self::Extend(claim(rng)),
            1 => Self::GiveBack(claim(rng)),
            2 => Self::CountFailure(claim(rng)),
            3 | 4 => {
                let ids = requests(rng);
                Self::Replay(ids.into_iter().map(|id| entry(rng, id)).collect())
            }
            5 => {
                let id = request(rng);
                Self::Refuse(Box::new(entry(rng, id)))
            }
            6 => Self::Look(request(rng)),
            7 => Self::LookUp(key(rng)),
            8 => Self::GiveUp(request(rng)),
            _ => Self::draw_simple(rng),
        }
    }

    /// One that asks nothing of the order of what is claimed.
    pub fn draw_simple(rng: &mut Rng) -> Self {
        match rng.u8(0..6) {
            0 => Self::Insert(
                requests(rng)
                    .into_iter()
                    .map(|id| new_row(rng, id, String::new()))
                    .collect(),
            ),
            1 | 2 => Self::InsertKeyed(keyed_rows(rng)),
            3 => Self::Finish(
                requests(rng)
                    .into_iter()
                    .map(|id| end_row(rng, id))
                    .collect(),
            ),
            4 => Self::Claim(
                rng.u32(1..6),
                if rng.bool() { HELD } else { Duration::ZERO },
            ),
            _ => Self::CompleteOpen(request(rng), answer(rng)),
        }
    }
}
