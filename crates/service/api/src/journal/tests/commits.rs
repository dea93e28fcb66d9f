//! Appends that come together share a commit; one alone has its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

const TASKS: u64 = 64;

/// Closed loops of appends, `each` per task.
async fn load(journal: &Journal, each: u64) {
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for _ in 0..each {
                    stored(&journal, &entry()).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_callers_share_at_most_one_commit_per_sixteen_appends() {
    let folder = folder();
    let journal = open(&folder);
    load(&journal, 50).await;
    let stats = journal.stats();
    assert_eq!((stats.entries, stats.appended), (50 * TASKS, 50 * TASKS));
    assert!(stats.commits <= stats.appended / 16, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_share_as_well_where_a_sync_costs_nothing() {
    let journal = Journal::start(disk::Disk::default(), LIMITS).unwrap();
    load(&journal, 50).await;
    let stats = journal.stats();
    assert!(stats.commits <= stats.appended / 16, "{stats:?}");
}

#[tokio::test]
async fn appends_one_after_the_other_get_a_commit_each() {
    let folder = folder();
    let journal = open(&folder);
    for _ in 0..20 {
        stored(&journal, &entry()).await;
    }
    assert_eq!(journal.stats().commits, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_batch_of_one_nothing_is_shared() {
    let folder = folder();
    let limits = JournalLimits {
        lock_wait: Duration::from_millis(500),
        max_batch: 1,
        ..LIMITS
    };
    let journal = Journal::open(folder.path(), limits).unwrap();
    load(&journal, 2).await;
    assert_eq!(journal.stats().commits, 2 * TASKS);
}

#[tokio::test]
async fn what_changes_nothing_costs_no_commit() {
    let folder = folder();
    let journal = open(&folder);
    stored(&journal, &ended(&keyed("k"))).await;
    journal.append(&keyed("k"), soon()).await.unwrap();
    journal.remove(&[Uuid::now_v7()], soon()).await.unwrap();
    assert_eq!(journal.stats().commits, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_answered_while_others_write() {
    let folder = folder();
    let journal = open(&folder);
    let known = entry();
    stored(&journal, &known).await;
    let reads = Arc::new(AtomicU64::new(0));
    let reader = tokio::spawn({
        let (journal, reads) = (journal.clone(), Arc::clone(&reads));
        async move {
            loop {
                let found = journal.find(known.id, soon()).await.unwrap();
                assert!(found.is_some());
                reads.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    load(&journal, 20).await;
    assert!(reads.load(Ordering::Relaxed) > 20);
    reader.abort();
}

/// Not a check: prints what `cargo test … -- --ignored --nocapture how_many` measures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn how_many_appends_a_second() {
    for (max_batch, each) in [(256, 500), (1, 20)] {
        let folder = folder();
        let limits = JournalLimits {
            lock_wait: Duration::from_millis(500),
            max_batch,
            ..LIMITS
        };
        let journal = Journal::open(folder.path(), limits).unwrap();
        let began = Instant::now();
        load(&journal, each).await;
        let seconds = began.elapsed().as_secs_f64();
        let JournalStats {
            appended, commits, ..
        } = journal.stats();
        println!(
            "max_batch {max_batch}: {:.0} appends/s, {:.1} per commit, {:.2} ms per commit",
            (appended as f64) / seconds,
            (appended as f64) / (commits as f64),
            seconds * 1000.0 / (commits as f64)
        );
    }
}
