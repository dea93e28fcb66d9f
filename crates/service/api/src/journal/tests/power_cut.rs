//! The power goes at a random moment: what was acknowledged is there when it is back.

use std::collections::HashSet;

use fastrand::Rng;

use super::disk::{Disk, Unsynced};
use super::*;

/// Appends from many tasks until the power goes. Returns the ids that were acknowledged: open and ended, and those
/// whose removal was.
async fn append_until_dark(journal: &Journal, disk: &Disk) -> (HashSet<Uuid>, HashSet<Uuid>) {
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let (journal, disk) = (journal.clone(), disk.clone());
            tokio::spawn(async move {
                let (mut there, mut gone) = (Vec::new(), Vec::new());
                for step in 0.. {
                    if disk.is_dead() {
                        break;
                    }
                    let request = if step % 7 == 0 { large(9000) } else { entry() };
                    if journal.append(&request, soon()).await.is_err() {
                        break;
                    }
                    there.push(request.id);
                    if step % 3 == task % 3 {
                        let end = journal.append(&ended(&request), soon()).await;
                        if end.is_err() {
                            break;
                        }
                    }
                    if step % 5 == 4 {
                        // Asked for is not yet gone, and no longer surely there.
                        there.pop();
                        if journal.remove(&[request.id], soon()).await.is_err() {
                            break;
                        }
                        gone.push(request.id);
                    }
                }
                (there, gone)
            })
        })
        .collect();
    let (mut there, mut gone) = (HashSet::new(), HashSet::new());
    for task in tasks {
        let (more, less) = task.await.unwrap();
        there.extend(more);
        gone.extend(less);
    }
    (there, gone)
}

/// How many acknowledged entries a cut lost or brought back, and how many there were.
async fn cut(seed: u64, unsynced: Unsynced, lies: bool) -> (usize, usize) {
    let mut rng = Rng::with_seed(seed);
    let disk = Disk::default();
    let journal = Journal::start(disk.clone(), LIMITS).unwrap();
    if lies {
        disk.lie();
    }
    disk.cut_after(rng.u64(100..3000), unsynced, seed);
    let (there, gone) = append_until_dark(&journal, &disk).await;
    drop(journal);

    let journal = Journal::start(Disk::with_image(disk.durable()), LIMITS).unwrap();
    if !journal.stats().available {
        return (there.len(), there.len());
    }
    let found: HashSet<_> = offered(&journal).await.into_iter().collect();
    stored(&journal, &entry()).await;
    let lost = there.difference(&found).count() + gone.intersection(&found).count();
    (lost, there.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let mut acknowledged = 0;
    for seed in 0..12 {
        for unsynced in [Unsynced::Dropped, Unsynced::Any] {
            let (lost, there) = cut(seed, unsynced, false).await;
            assert_eq!(lost, 0, "of {there}, seed {seed}, {unsynced:?}");
            acknowledged += there;
        }
    }
    assert!(acknowledged > 100, "{acknowledged}: hardly a test");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_sync_a_power_cut_is_seen_to_lose_entries() {
    let (lost, there) = cut(1, Unsynced::Dropped, true).await;
    assert!(there > 0 && lost == there, "lost {lost} of {there}");
}
