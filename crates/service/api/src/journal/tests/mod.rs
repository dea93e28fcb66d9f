//! The journal on real files, and on a disk that fails in every way a disk can.

mod basics;
mod commits;
mod disk;
mod folder;
mod full_disk;
mod hung_disk;
mod limits;
mod power_cut;
mod size;

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::JsonText;
use jiff::Timestamp;
use serde_json::value::RawValue;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

const LIMITS: JournalLimits = JournalLimits {
    lock_wait: Duration::from_millis(500),
    max_bytes: 64 << 20,
    max_batch: 256,
};

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &TempDir) -> Journal {
    Journal::open(folder.path(), LIMITS).unwrap()
}

/// An entry without an end, younger than those made before it.
fn entry() -> Entry {
    Entry {
        id: Uuid::now_v7(),
        key: None,
        payload: RawValue::from_string("{\"amount\": 12.50}".to_owned()).ok(),
        received_at: Timestamp::now(),
        end: None,
    }
}

fn keyed(key: &str) -> Entry {
    Entry {
        key: Some(key.to_owned()),
        ..entry()
    }
}

/// An entry with a body of `length` bytes.
fn large(length: usize) -> Entry {
    let body = format!("\"{}\"", "x".repeat(length - 2));
    Entry {
        payload: RawValue::from_string(body).ok(),
        ..entry()
    }
}

/// The same with its end.
fn ended(entry: &Entry) -> Entry {
    let end = WorkResult {
        response: JsonText::parse(r#"{"status":"done"}"#.to_owned()).unwrap(),
        attempts: 2,
        completed_at: Timestamp::now(),
    };
    Entry {
        end: Some(end),
        ..entry.clone()
    }
}

async fn stored(journal: &Journal, entry: &Entry) {
    let appended = journal.append(entry, soon()).await;
    assert!(matches!(appended, Ok(Appended::Stored)), "{appended:?}");
}

/// What recovery would get: the ids of all that is neither pinned nor quarantined.
async fn offered(journal: &Journal) -> Vec<Uuid> {
    let batch = Batch {
        entries: usize::MAX,
        bytes: usize::MAX,
    };
    let entries = journal.oldest(batch, soon()).await.unwrap();
    entries.iter().map(|entry| entry.id).collect()
}

/// Until the journal on `folder` has let go of it.
async fn closed(folder: &Path) {
    eventually("the folder is let go", || {
        File::open(folder.join("lock")).unwrap().try_lock().is_ok()
    })
    .await;
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < until, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
