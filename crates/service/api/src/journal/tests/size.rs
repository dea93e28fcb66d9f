//! The file stays within `max_bytes` and 2 MiB, whatever is put in and taken out.

use std::fs;

use fastrand::Rng;

use super::*;

/// What commits under way may have in use besides.
const BESIDES: u64 = 2 << 20;

/// Fills the journal to the brim, ends and removes at random, several times over. Returns the largest file.
async fn churn(max_bytes: u64, sizes: std::ops::Range<usize>, tasks: u64) -> u64 {
    let folder = folder();
    let limits = JournalLimits {
        lock_wait: Duration::from_millis(500),
        max_bytes,
        ..LIMITS
    };
    let journal = Journal::open(folder.path(), limits).unwrap();
    let file = folder.path().join("journal.redb");
    let tasks: Vec<_> = (0..tasks)
        .map(|seed| {
            let (journal, file, sizes) = (journal.clone(), file.clone(), sizes.clone());
            tokio::spawn(async move {
                let mut rng = Rng::with_seed(seed);
                let (mut live, mut largest) = (Vec::new(), 0);
                for _ in 0..4 {
                    loop {
                        let request = large(rng.usize(sizes.clone()));
                        let request = Entry {
                            key: Some(request.id.to_string()),
                            ..request
                        };
                        match journal.append(&request, soon()).await {
                            Ok(_) => live.push(request.id),
                            Err(JournalError::Full { .. }) => break,
                            Err(error) => panic!("{error}"),
                        }
                        if rng.bool() {
                            let end = journal.append(&ended(&request), soon()).await;
                            assert!(matches!(end, Ok(_) | Err(JournalError::Full { .. })));
                        }
                        largest = largest.max(fs::metadata(&file).unwrap().len());
                    }
                    let gone: Vec<_> = (0..live.len() * 2 / 3)
                        .map(|_| live.swap_remove(rng.usize(..live.len())))
                        .collect();
                    for gone in gone.chunks(50) {
                        journal.remove(gone, soon()).await.unwrap();
                    }
                    largest = largest.max(fs::metadata(&file).unwrap().len());
                }
                largest
            })
        })
        .collect();
    let mut largest = 0;
    for task in tasks {
        largest = largest.max(task.await.unwrap());
    }
    largest
}

async fn stays_within(limits: &[(u64, std::ops::Range<usize>)]) {
    for (kibibytes, sizes) in limits {
        let max_bytes = kibibytes << 10;
        let largest = churn(max_bytes, sizes.clone(), 16).await;
        println!("{kibibytes} KiB, bodies of {sizes:?}: file at most {largest} bytes");
        let most = max_bytes + BESIDES;
        assert!(largest <= most, "{largest} of {max_bytes}, {sizes:?}");
        assert!(largest > max_bytes / 3, "{largest}: hardly a test");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_stays_within_its_limit_whatever_is_put_in_and_taken_out() {
    let small = [(64, 20..300), (4096, 20..3000), (4096, 20..65_536)];
    stays_within(&small).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: minutes"]
async fn the_file_stays_within_its_limit_at_many_limits() {
    let mut limits = Vec::new();
    // Just below and just above what doubling comes to, and between.
    for kibibytes in [4500, 4700, 6000, 9150, 9300, 18_300, 18_500, 37_000, 65_536] {
        for sizes in [
            20..300,
            20..65_536,
            65_000..65_536,
            33_000..40_000,
            1200..1400,
        ] {
            limits.push((kibibytes, sizes));
        }
    }
    stays_within(&limits).await;
}
