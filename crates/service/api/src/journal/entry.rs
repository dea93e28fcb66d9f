//! What the journal holds: requests, self-sufficient, as JSON.
//!
//! Recovery, which reads an entry back, needs nothing else to put the request into Postgres.

use holdfast_wire::JsonText;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// One request as the journal holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The request's id, a UUIDv7: entries are ordered by it, so by the time they were received.
    pub id: Uuid,
    /// Its idempotency key. At most one entry holds a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its JSON body as received, byte for byte. `None`: there was none, which is not the body `null`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub payload: Option<Box<RawValue>>,
    /// When it was received, by this machine's clock.
    pub received_at: Timestamp,
    /// How it ended; `None` while its work is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<WorkResult>,
}

/// The work is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkResult {
    /// The worker's body.
    pub response: JsonText,
    /// Calls it took.
    pub attempts: u32,
    /// When it came: by this machine's clock, or the database's where it is read from there.
    pub completed_at: Timestamp,
}

/// What became of an append.
#[derive(Debug)]
pub(crate) enum Appended {
    /// The entry is durable.
    Stored,
    /// Nothing was stored: this entry, of another id, holds the key.
    KeyTaken(Box<Entry>),
    /// Nothing was stored: the request has this end already, and the first one stays.
    EndedBefore(Box<Entry>),
}

/// How much [`Journal::oldest`](super::Journal::oldest) may return.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    /// At most so many entries.
    pub entries: usize,
    /// At most so many bytes of JSON, though always one entry if there is one.
    pub bytes: usize,
}

/// The first entries of a sort, in some order.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// How many of that sort the journal holds in all.
    pub total: u64,
    /// The first of them.
    pub entries: Vec<Entry>,
}

/// An entry as it lies in the file.
pub(super) type Row = (Uuid, Vec<u8>);

impl Entry {
    pub(super) fn encode(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// Reads `row` back. A failure is logged: the file's checksums hold, so another version wrote it.
    pub(super) fn decode((id, json): &Row) -> Option<Self> {
        serde_json::from_slice(json)
            .inspect_err(|error| {
                tracing::error!(request_id = %id, %error,
                    "this journal entry cannot be read and stays where it is; run the version that wrote it");
            })
            .ok()
    }
}

/// The idempotency key of the entry `json`, without building the rest.
pub(super) fn key_of(json: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        key: Option<String>,
    }
    serde_json::from_slice::<Head>(json).ok()?.key
}

/// The plain `Option` would take the body `null` for none.
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(field).map(Some)
}
