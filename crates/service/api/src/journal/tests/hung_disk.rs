//! A disk that does not answer, and a store that panics.

use super::disk::Disk;
use super::*;

#[tokio::test]
async fn a_hung_sync_costs_callers_their_deadline_and_no_more() {
    let disk = Disk::default();
    let journal = Journal::start(disk.clone(), LIMITS).unwrap();
    let known = entry();
    stored(&journal, &known).await;

    disk.hang(true);
    let began = Instant::now();
    for _ in 0..3 {
        let short = Deadline::after(Duration::from_millis(100));
        let error = journal.append(&entry(), short).await.unwrap_err();
        assert_eq!(error, JournalError::TimedOut);
    }
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(300) && waited < Duration::from_secs(2));
    let short = Deadline::after(Duration::from_millis(50));
    let error = journal.find(known.id, short).await.unwrap_err();
    assert_eq!(error, JournalError::TimedOut);
    assert_eq!(journal.stats().refused, 3);

    disk.hang(false);
    let next = entry();
    stored(&journal, &next).await;
    // The first was under way and may be there; those behind it were given up before they were written.
    let offered = offered(&journal).await;
    assert!(offered.contains(&known.id) && offered.contains(&next.id));
    assert!(offered.len() <= 3, "{}", offered.len());
}

#[tokio::test]
async fn more_than_may_wait_for_a_hung_disk_are_refused_at_once() {
    let disk = Disk::default();
    let journal = Journal::start(disk.clone(), LIMITS).unwrap();
    disk.hang(true);
    let short = || Deadline::after(Duration::from_millis(1));
    let mut busy = 0;
    for _ in 0..1100 {
        let error = journal.append(&entry(), short()).await.unwrap_err();
        busy += u32::from(error == JournalError::Busy);
    }
    assert!(busy > 0, "more jobs than the queue holds");

    disk.hang(false);
    works_again(&journal).await;
    disk.hang(true);
    let mut busy = 0;
    for _ in 0..600 {
        let error = journal.append(&large(65_000), short()).await.unwrap_err();
        busy += u32::from(error == JournalError::Busy);
    }
    assert!(busy > 0, "more bytes than the queue holds");
    disk.hang(false);
    works_again(&journal).await;
}

#[tokio::test]
async fn a_crowd_of_readers_leaves_room_for_those_who_write_while_the_disk_hangs() {
    let disk = Disk::default();
    let journal = Journal::start(disk.clone(), LIMITS).unwrap();
    let known = entry();
    stored(&journal, &known).await;
    disk.hang(true);
    let hangs = tokio::spawn({
        let (journal, entry) = (journal.clone(), entry());
        async move { journal.append(&entry, soon()).await }
    });
    let while_it_works = || Deadline::after(Duration::from_millis(500));
    while journal.find(known.id, while_it_works()).await.is_ok() {}
    let short = || Deadline::after(Duration::from_millis(1));
    let mut busy = 0;
    for _ in 0..600 {
        let error = journal.find(known.id, short()).await.unwrap_err();
        busy += u32::from(error == JournalError::Busy);
    }
    assert!(busy > 300, "{busy} of 600");
    for _ in 0..200 {
        let error = journal.append(&entry(), short()).await.unwrap_err();
        assert_eq!(error, JournalError::TimedOut, "there is room");
    }
    disk.hang(false);
    hangs.await.unwrap().unwrap();
    works_again(&journal).await;
    let found = journal.find_all(vec![known.id, Uuid::nil()], soon()).await;
    let found: Vec<Uuid> = found.unwrap().iter().map(|it| it.id).collect();
    assert_eq!(found, [known.id]);
}

/// Once what is queued is worked off.
async fn works_again(journal: &Journal) {
    let next = entry();
    while let Err(error) = journal.append(&next, soon()).await {
        assert_eq!(error, JournalError::Busy);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_panic_in_the_store_is_trouble_like_any_other() {
    let disk = Disk::default();
    let journal = Journal::start(disk.clone(), LIMITS).unwrap();
    let known = entry();
    stored(&journal, &known).await;

    disk.panic_at_next_sync();
    let error = journal.append(&entry(), soon()).await.unwrap_err();
    assert!(matches!(error, JournalError::Unavailable(cause) if cause.contains("defect")));

    eventually("it is available", || journal.stats().available).await;
    assert!(journal.find(known.id, soon()).await.unwrap().is_some());
    stored(&journal, &entry()).await;
}

#[tokio::test]
async fn what_is_gone_though_its_removal_failed_is_in_quarantine_no_more() {
    let disk = Disk::default();
    let journal = Journal::start(disk.clone(), LIMITS).unwrap();
    let (gone, stays) = (entry(), entry());
    for entry in [&gone, &stays] {
        stored(&journal, entry).await;
        journal.quarantine(entry.id);
    }
    // The commit is on the disk by then.
    disk.panic_at_next_sync();
    let removed = journal.remove(&[gone.id], soon()).await;
    assert!(removed.is_err(), "{removed:?}");
    eventually("the file is open again", || journal.stats().available).await;
    assert_eq!(
        journal.find(gone.id, soon()).await.unwrap().map(|it| it.id),
        None
    );
    let stats = journal.stats();
    assert_eq!((stats.entries, stats.quarantined), (1, 1));
    assert!(journal.is_quarantined(stays.id) && !journal.is_quarantined(gone.id));
}
