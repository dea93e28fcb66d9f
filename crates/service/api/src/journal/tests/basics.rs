//! What goes in comes out: entries, keys, pins.

use super::*;
use holdfast_wire::RequestOrder;

#[tokio::test]
async fn entries_survive_reopening_in_order_and_to_the_byte() {
    let folder = folder();
    let journal = open(&folder);
    let bodies = [
        Some("{ \"a\" :\n 1.50 }"),
        Some("null"),
        Some("\"\\u0000\""),
        None,
    ];
    let mut entries = Vec::new();
    for body in bodies {
        let payload = body.map(|body| RawValue::from_string(body.to_owned()).unwrap());
        entries.push(Entry { payload, ..entry() });
    }
    entries[1] = ended(&entries[1]);
    entries[2].key = Some("k".to_owned());
    for entry in entries.iter().rev() {
        stored(&journal, entry).await;
    }
    let stats = journal.stats();
    drop(journal);

    let journal = open(&folder);
    let batch = Batch {
        entries: 10,
        bytes: usize::MAX,
    };
    let found = journal.oldest(batch, soon()).await.unwrap();
    for (found, (entry, body)) in found.iter().zip(entries.iter().zip(bodies)) {
        assert_eq!(found.id, entry.id);
        assert_eq!(found.key, entry.key);
        assert_eq!(found.payload.as_ref().map(|body| body.get()), body);
        assert_eq!(found.received_at, entry.received_at);
        assert_eq!(found.end, entry.end);
    }
    let again = journal.stats();
    assert_eq!(
        (again.entries, again.open, again.bytes),
        (4, 3, stats.bytes)
    );
    assert!(again.oldest_seconds.unwrap() < 60.0);
}

#[tokio::test]
async fn an_empty_journal_answers_reads_and_has_no_oldest() {
    let folder = folder();
    let journal = open(&folder);
    assert!(offered(&journal).await.is_empty());
    assert!(
        journal
            .find(Uuid::now_v7(), soon())
            .await
            .unwrap()
            .is_none()
    );
    assert!(journal.find_key("k", soon()).await.unwrap().is_none());
    assert_eq!(
        journal
            .page(None, RequestOrder::Newest, 5, soon())
            .await
            .unwrap()
            .total,
        0
    );
    let stats = journal.stats();
    assert_eq!(
        (stats.entries, stats.bytes, stats.oldest_seconds),
        (0, 0, None)
    );
    assert!(stats.available);
}

#[tokio::test]
async fn an_end_takes_the_place_of_the_open_entry_and_is_never_taken_back() {
    let folder = folder();
    let journal = open(&folder);
    let request = keyed("k");
    stored(&journal, &request).await;
    assert_eq!(journal.stats().open, 1);
    let first = ended(&request);
    stored(&journal, &first).await;
    let mut second = ended(&request);
    second.end.as_mut().unwrap().attempts = 9;
    let told = journal.append(&second, soon()).await.unwrap();
    assert!(matches!(told, Appended::EndedBefore(there) if there.end == first.end));
    stored(&journal, &request).await;

    let stats = journal.stats();
    assert_eq!((stats.entries, stats.open, stats.appended), (1, 0, 2));
    let found = journal.find(request.id, soon()).await.unwrap().unwrap();
    assert_eq!(found.end, first.end);
    assert_eq!(offered(&journal).await, [request.id]);
}

#[tokio::test]
async fn a_key_belongs_to_one_entry_until_that_is_removed() {
    let folder = folder();
    let journal = open(&folder);
    let (holder, other) = (keyed("k"), keyed("k"));
    stored(&journal, &holder).await;
    let taken = journal.append(&other, soon()).await.unwrap();
    assert!(matches!(taken, Appended::KeyTaken(entry) if entry.id == holder.id));
    assert!(journal.find(other.id, soon()).await.unwrap().is_none());
    let found = journal.find_key("k", soon()).await.unwrap().unwrap();
    assert_eq!(found.id, holder.id);

    journal.remove(&[holder.id], soon()).await.unwrap();
    assert_eq!(journal.stats().bytes, 0);
    stored(&journal, &other).await;
    let found = journal.find_key("k", soon()).await.unwrap().unwrap();
    assert_eq!(found.id, other.id);
}

#[tokio::test]
async fn of_two_at_once_with_one_key_one_is_stored_and_the_other_hears_of_it() {
    let folder = folder();
    let journal = open(&folder);
    let (one, two) = (keyed("k"), keyed("k"));
    let (first, second) = tokio::join!(journal.append(&one, soon()), journal.append(&two, soon()));
    assert!(matches!(first, Ok(Appended::Stored)));
    assert!(matches!(second, Ok(Appended::KeyTaken(entry)) if entry.id == one.id));
    assert_eq!(journal.stats().entries, 1);
}

#[tokio::test]
async fn pinned_and_quarantined_entries_are_passed_over_and_a_dropped_pin_offers_again() {
    let folder = folder();
    let journal = open(&folder);
    let entries = [entry(), entry(), entry()];
    for entry in &entries {
        stored(&journal, entry).await;
    }
    let [pinned, quarantined, free] = entries.map(|entry| entry.id);
    let (pin, second) = (journal.pin(pinned), journal.pin(pinned));
    assert_eq!(journal.quarantine(quarantined), 1);
    assert_eq!(offered(&journal).await, [free]);
    drop(pin);
    assert!(journal.is_pinned(pinned));
    drop(second);
    assert!(!journal.is_pinned(pinned));
    assert_eq!(offered(&journal).await, [pinned, free]);
    let found = journal.find(quarantined, soon()).await.unwrap();
    assert!(found.is_some(), "it stays where it is");
    drop(journal);
    assert_eq!(offered(&open(&folder)).await, [pinned, quarantined, free]);
}

#[tokio::test]
async fn a_batch_is_bounded_by_entries_and_by_bytes() {
    let folder = folder();
    let journal = open(&folder);
    let entries = [large(1000), ended(&large(1000)), large(1000), large(1000)];
    for entry in &entries {
        stored(&journal, entry).await;
    }
    let ids = entries.map(|entry| entry.id);
    for (entries, bytes, expected) in [
        (2, usize::MAX, &ids[..2]),
        (9, 2500, &ids[..2]),
        (9, 1, &ids[..1]),
        (9, usize::MAX, &ids[..]),
        (0, usize::MAX, &[]),
    ] {
        let batch = Batch { entries, bytes };
        let found = journal.oldest(batch, soon()).await.unwrap();
        let found: Vec<_> = found.iter().map(|entry| entry.id).collect();
        assert_eq!(found, expected, "{batch:?}");
    }
}

#[tokio::test]
async fn the_newest_or_the_oldest_come_first_by_sort_with_how_many_there_are() {
    let folder = folder();
    let journal = open(&folder);
    let entries = [entry(), ended(&entry()), entry(), ended(&entry()), entry()];
    for entry in &entries {
        stored(&journal, entry).await;
    }
    let ids = entries.map(|entry| entry.id);
    for (sort, total, expected) in [
        (None, 5, vec![ids[4], ids[3], ids[2]]),
        (Some(true), 2, vec![ids[3], ids[1]]),
        (Some(false), 3, vec![ids[4], ids[2], ids[0]]),
    ] {
        let page = journal
            .page(sort, RequestOrder::Newest, 3, soon())
            .await
            .unwrap();
        let found: Vec<_> = page.entries.iter().map(|entry| entry.id).collect();
        assert_eq!((page.total, found), (total, expected), "{sort:?}");
    }
    for (sort, total, expected) in [
        (None, 5, vec![ids[0], ids[1], ids[2]]),
        (Some(true), 2, vec![ids[1], ids[3]]),
    ] {
        let page = journal
            .page(sort, RequestOrder::Oldest, 3, soon())
            .await
            .unwrap();
        let found: Vec<_> = page.entries.iter().map(|entry| entry.id).collect();
        assert_eq!((page.total, found), (total, expected), "{sort:?}");
    }
}
