//! `max_bytes`: new entries are refused, ends are not, and room comes back.

use super::*;

#[tokio::test]
async fn a_full_journal_refuses_new_entries_records_ends_and_has_room_again_after_removal() {
    let folder = folder();
    let limits = JournalLimits {
        lock_wait: Duration::from_millis(500),
        max_bytes: 4 << 20,
        ..LIMITS
    };
    let journal = Journal::open(folder.path(), limits).unwrap();
    let mut entries = Vec::new();
    let error = loop {
        let entry = large(20_000);
        match journal.append(&entry, soon()).await {
            Ok(_) => entries.push(entry),
            Err(error) => break error,
        }
    };
    let max_bytes = limits.max_bytes;
    assert_eq!(error, JournalError::Full { max_bytes });
    assert!(entries.len() >= 15, "{}", entries.len());
    let stats = journal.stats();
    assert!(stats.bytes <= max_bytes && stats.refused == 1 && stats.available);

    for entry in &entries {
        stored(&journal, &ended(entry)).await;
    }
    assert_eq!(journal.stats().open, 0);
    let error = journal.append(&large(20_000), soon()).await.unwrap_err();
    assert_eq!(error, JournalError::Full { max_bytes });

    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    journal.remove(&ids[..10], soon()).await.unwrap();
    for _ in 0..10 {
        stored(&journal, &large(20_000)).await;
    }
    journal.remove(&ids, soon()).await.unwrap();
    assert_eq!(journal.stats().entries, 10);
}
