//! A disk with no space left.

use super::disk::{Call, Disk};
use super::*;

fn no_space(error: &JournalError) -> bool {
    matches!(error, JournalError::Unavailable(cause) if cause.contains("no space"))
}

#[tokio::test]
async fn a_full_disk_refuses_new_entries_keeps_the_old_and_takes_new_ones_when_space_returns() {
    for call in [Call::Write, Call::SetLen, Call::Sync] {
        let disk = Disk::default();
        let journal = Journal::start(disk.clone(), LIMITS).unwrap();
        let known = [entry(), entry()];
        for entry in &known {
            stored(&journal, entry).await;
        }

        disk.fill(Some(call));
        // Large, so that the file has to grow.
        let (first, second) = (large(60_000), large(60_000));
        let error = journal.append(&first, soon()).await.unwrap_err();
        assert!(no_space(&error), "{call:?}: {error:?}");
        eventually("it is open", || journal.depth().available).await;
        let error = journal.append(&second, soon()).await.unwrap_err();
        assert!(no_space(&error), "{call:?}: {error:?}");
        assert_eq!(offered(&journal).await, known.clone().map(|entry| entry.id));

        disk.fill(None);
        let mut seconds = 0;
        while journal.append(&first, soon()).await.is_err() {
            seconds += 1;
            assert!(seconds < 20, "{call:?}: never taken again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        stored(&journal, &second).await;
        let [one, two] = known.map(|entry| entry.id);
        let all = [one, two, first.id, second.id];
        assert_eq!(offered(&journal).await, all, "{call:?}");
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
        assert_eq!(journal.depth().entries, 1);
        assert!(no_space(
            &journal.append(&entry(), soon()).await.unwrap_err()
        ));

        disk.fill(None);
        let mut seconds = 0;
        while journal.append(&first, soon()).await.is_err() {
            seconds += 1;
            assert!(seconds < 20, "{call:?}: never taken again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(journal.depth().entries, 2);
    }
}
