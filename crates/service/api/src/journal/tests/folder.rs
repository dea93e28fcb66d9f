//! The folder: missing, in use, unusable, and the file in it damaged.

use std::fs;

use fastrand::Rng;

use super::*;

async fn cause(journal: &Journal) -> String {
    match journal.append(&entry(), soon()).await {
        Err(JournalError::Unavailable(cause)) => cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_missing_folder_is_made_with_those_above_it() {
    let folder = folder();
    let deep = folder.path().join("a/b/c");
    let journal = Journal::open(&deep, LIMITS).unwrap();
    stored(&journal, &entry()).await;
    assert!(deep.join("journal.redb").is_file());
}

#[tokio::test]
async fn a_second_journal_on_the_folder_is_refused_until_the_first_is_gone() {
    let folder = folder();
    let journal = open(&folder);
    stored(&journal, &entry()).await;
    let error = Journal::open(folder.path(), LIMITS).err().unwrap();
    assert_eq!(error.folder, folder.path());
    stored(&journal, &entry()).await;
    drop(journal);
    assert_eq!(open(&folder).stats().entries, 2);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_leaves_it_unavailable_until_that_is_mended() {
    let folder = folder();
    let path = folder.path().join("journal");
    fs::write(&path, "in the way").unwrap();
    let journal = Journal::open(&path, LIMITS).unwrap();
    assert!(!journal.stats().available);
    assert!(cause(&journal).await.contains("folder cannot be used"));
    assert!(journal.find(Uuid::now_v7(), soon()).await.is_err());
    assert_eq!(journal.stats().refused, 1);

    fs::remove_file(&path).unwrap();
    eventually("it is available", || journal.stats().available).await;
    stored(&journal, &entry()).await;
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_left_alone_until_it_is_moved_away() {
    let folder = folder();
    let file = folder.path().join("journal.redb");
    fs::write(&file, "not a journal").unwrap();
    let journal = open(&folder);
    assert!(cause(&journal).await.contains("damaged"));
    assert_eq!(fs::read(&file).unwrap(), b"not a journal");

    fs::rename(&file, folder.path().join("elsewhere")).unwrap();
    eventually("it is available", || journal.stats().available).await;
    stored(&journal, &entry()).await;
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_as_it_is_and_the_backup_works() {
    let folder = folder();
    let file = folder.path().join("journal.redb");
    let journal = open(&folder);
    let mut known = Vec::new();
    for _ in 0..40 {
        let entry = large(3000);
        stored(&journal, &entry).await;
        known.push(entry.id);
    }
    drop(journal);
    closed(folder.path()).await;
    let backup = fs::read(&file).unwrap();

    let mut refused = 0;
    for seed in 0..12 {
        let mut rng = Rng::with_seed(seed);
        let mut damaged = backup.clone();
        for _ in 0..8 {
            damaged[rng.usize(4096..backup.len())] ^= 1 << rng.u8(0..8);
        }
        fs::write(&file, &damaged).unwrap();
        let journal = open(&folder);
        if journal.stats().available {
            // All of them hit pages that hold nothing.
            assert_eq!(offered(&journal).await, known, "seed {seed}");
        } else {
            refused += 1;
            assert!(
                fs::read(&file).unwrap() == damaged,
                "seed {seed}: written to"
            );
        }
        drop(journal);
        closed(folder.path()).await;
    }
    assert!(refused > 0, "no flip was noticed");

    fs::write(&file, &backup).unwrap();
    assert_eq!(offered(&open(&folder)).await, known);
}

#[tokio::test]
async fn a_beginning_that_was_cut_short_is_begun_again() {
    let folder = folder();
    fs::write(folder.path().join("journal.redb.new"), vec![0; 70_000]).unwrap();
    fs::write(folder.path().join("ballast"), "half").unwrap();
    let journal = open(&folder);
    stored(&journal, &entry()).await;
    let ballast = fs::metadata(folder.path().join("ballast")).unwrap();
    assert_eq!(ballast.len(), 2 << 20);
    assert!(!folder.path().join("journal.redb.new").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_whose_process_is_on_its_way_out_is_waited_for() {
    let folder = folder();
    let before = open(&folder);
    let entry = entry();
    before.append(&entry, soon()).await.unwrap();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        drop(before);
    });
    let patient = JournalLimits {
        lock_wait: Duration::from_secs(10),
        ..LIMITS
    };
    assert!(Journal::open(folder.path(), LIMITS).is_err());
    let after = Journal::open(folder.path(), patient).unwrap();
    assert!(after.find(entry.id, soon()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_journal_that_is_set_aside_is_moved_away_whole_and_a_new_one_is_begun() {
    let folder = folder();
    let none = SetAside::in_folder(folder.path());
    assert!(matches!(none, Err(SetAsideError::NoJournal(_))));
    let journal = open(&folder);
    let entry = keyed("k");
    journal.append(&entry, soon()).await.unwrap();
    let in_use = SetAside::in_folder(folder.path());
    assert!(matches!(in_use, Err(SetAsideError::InUse(_))));
    drop(journal);
    let aside = loop {
        match SetAside::in_folder(folder.path()) {
            Err(SetAsideError::InUse(_)) => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    assert_eq!(aside.entries, Some((1, 0)));
    assert!(
        aside
            .report()
            .contains("1 accepted requests that are not done")
    );
    let journal = open(&folder);
    assert!(journal.find_key("k", soon()).await.unwrap().is_none());
    drop(journal);
    // Put back, it is what it was.
    fs::rename(&aside.moved_to, folder.path().join("journal.redb")).unwrap();
    let patient = JournalLimits {
        lock_wait: Duration::from_secs(10),
        ..LIMITS
    };
    let journal = Journal::open(folder.path(), patient).unwrap();
    assert_eq!(
        journal.find_key("k", soon()).await.unwrap().unwrap().id,
        entry.id
    );
}

#[test]
fn a_journal_whose_folder_cannot_be_used_is_not_said_to_be_in_use() {
    let folder = folder();
    fs::write(folder.path().join("journal.redb"), "no journal").unwrap();
    fs::create_dir(folder.path().join("lock")).unwrap();
    let refused = SetAside::in_folder(folder.path()).unwrap_err();
    assert!(matches!(refused, SetAsideError::Folder { .. }), "{refused}");
    fs::remove_dir(folder.path().join("lock")).unwrap();
    assert!(SetAside::in_folder(folder.path()).is_ok());
}

#[test]
fn a_damaged_journal_is_set_aside_as_well_and_the_report_says_that_it_cannot_be_read() {
    let folder = folder();
    fs::write(folder.path().join("journal.redb"), "no journal").unwrap();
    let aside = SetAside::in_folder(folder.path()).unwrap();
    assert_eq!(aside.entries, None);
    assert!(aside.report().contains("cannot be read"));
    assert_eq!(fs::read(&aside.moved_to).unwrap(), b"no journal");
}
