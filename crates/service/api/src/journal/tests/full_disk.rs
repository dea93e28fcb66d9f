//! A disk with no space left.

use super::disk::{Call, Disk};
use super::*;

fn no_space(error: &JournalError) -> bool {
    matches!(error, JournalError::Unavailable(cause) if cause.contains("no space"))
}

async fn taken_again(journal: &Journal, entry: &Entry) {
    let until = Instant::now() + Duration::from_secs(30);
    while let Err(error) = journal.append(entry, soon()).await {
        assert!(Instant::now() < until, "still {error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_full_disk_refuses_new_entries_keeps_the_old_and_takes_new_ones_when_space_returns() {
    for call in [Call::Write, Call::SetLen, Call::Sync] {
        let disk = Disk::default();
        let journal = Journal::start(disk.clone(), LIMITS).unwrap();
        let oldest = entry();
        stored(&journal, &oldest).await;
        let mut known = vec![oldest.id];

        disk.fill(Some(call));
        // Large, so that sooner or later the file has to grow.
        let (error, first) = loop {
            let entry = large(60_000);
            match journal.append(&entry, soon()).await {
                Ok(_) => known.push(entry.id),
                Err(error) => break (error, entry),
            }
        };
        assert!(no_space(&error), "{call:?}: {error:?}");
        let second = entry();
        eventually("it is open", || journal.stats().available).await;
        let error = journal.append(&second, soon()).await.unwrap_err();
        assert!(no_space(&error), "{call:?}: {error:?}");
        assert_eq!(offered(&journal).await, known, "{call:?}");

        disk.fill(None);
        taken_again(&journal, &first).await;
        stored(&journal, &second).await;
        known.extend([first.id, second.id]);
        assert_eq!(offered(&journal).await, known, "{call:?}");
    }
}

#[tokio::test]
async fn on_a_full_disk_ends_are_recorded_and_entries_removed_with_the_space_put_by() {
    for call in [Call::Write, Call::Sync] {
        let disk = Disk::default();
        let journal = Journal::start(disk.clone(), LIMITS).unwrap();
        let (first, second) = (entry(), entry());
        stored(&journal, &first).await;
        stored(&journal, &second).await;

        disk.fill(Some(call));
        journal.remove(&[first.id], soon()).await.unwrap();
        stored(&journal, &ended(&second)).await;
        let found = journal.find(second.id, soon()).await.unwrap().unwrap();
        assert!(found.end.is_some());
        assert_eq!(journal.stats().entries, 1);
        assert!(no_space(
            &journal.append(&entry(), soon()).await.unwrap_err()
        ));

        disk.fill(None);
        taken_again(&journal, &first).await;
        assert_eq!(journal.stats().entries, 2);
    }
}

#[tokio::test]
async fn a_file_that_cannot_grow_takes_ends_and_removals_and_then_new_entries_again() {
    let disk = Disk::default();
    disk.grow_no_longer_than(3 << 20);
    let journal = Journal::start(disk, LIMITS).unwrap();
    let mut entries = Vec::new();
    let error = loop {
        let entry = large(3000);
        match journal.append(&entry, soon()).await {
            Ok(_) => entries.push(entry),
            Err(error) => break error,
        }
    };
    assert!(no_space(&error) && entries.len() > 100, "{error:?}");
    for entry in &entries[..20] {
        stored(&journal, &ended(entry)).await;
    }
    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    for ids in ids.chunks(32) {
        journal.remove(ids, soon()).await.unwrap();
    }
    taken_again(&journal, &entries[0]).await;
    assert_eq!(journal.stats().entries, 1);
}
