//! What becomes of callers while a flush hangs, and once it does no more.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::*;
use crate::postgres::DatabaseError;
use crate::store::tests::{dependency, unmeasured};

const HEALTHY: Duration = Duration::from_millis(1);

/// Takes a millisecond for a statement; with a row that hangs, until it is let go.
struct Statements {
    let_go: Semaphore,
    under_way: AtomicUsize,
    most: AtomicUsize,
    unclaimed: AtomicUsize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum TestRow {
    Plain,
    Hangs,
}

impl Write for Arc<Statements> {
    type Row = TestRow;
    type Outcome = ();
    type Error = DatabaseError;

    fn bytes(&self, _row: &TestRow) -> usize {
        1
    }

    async fn write_all(&self, rows: &[TestRow]) -> Result<Vec<Written<()>>, DatabaseError> {
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(under_way, Ordering::Relaxed);
        if rows.contains(&TestRow::Hangs) {
            self.let_go.acquire().await.unwrap().forget();
        } else {
            sleep(HEALTHY).await;
        }
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        Ok(rows.iter().map(|_| Written::Run(())).collect())
    }

    fn unclaimed(&self, _row: &TestRow, _outcome: &(), _writer: &GroupCommit<Self>) {
        self.unclaimed.fetch_add(1, Ordering::Relaxed);
    }
}

fn writer() -> (Arc<Statements>, GroupCommit<Arc<Statements>>) {
    let statements = Arc::new(Statements {
        let_go: Semaphore::new(0),
        under_way: AtomicUsize::default(),
        most: AtomicUsize::default(),
        unclaimed: AtomicUsize::default(),
    });
    let writer = GroupCommit::new(
        Arc::clone(&statements),
        dependency(),
        Handle::current(),
        unmeasured(),
    );
    (statements, writer)
}

/// How long one plain row took.
async fn write_one(writer: &GroupCommit<Arc<Statements>>) -> Duration {
    let started = Instant::now();
    let soon = Deadline::after(Duration::from_secs(1));
    let written = writer.write(TestRow::Plain, soon).await.unwrap();
    assert!(matches!(written, Written::Run(())));
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_hangs_is_waited_for_once_and_then_passed_by() {
    let (statements, writer) = writer();
    let hung = tokio::spawn({
        let writer = writer.clone();
        let soon = Deadline::after(Duration::from_secs(1));
        async move { writer.write(TestRow::Hangs, soon).await }
    });
    tokio::task::yield_now().await;
    assert!(write_one(&writer).await >= PATIENCE);
    for _ in 0..3 {
        assert!(write_one(&writer).await < PATIENCE, "not waited for again");
    }
    statements.let_go.add_permits(1);
    assert!(matches!(hung.await.unwrap(), Ok(Written::Run(()))));

    statements.most.store(0, Ordering::Relaxed);
    let callers = (0..100).map(|_| write_one(&writer));
    futures_util::future::join_all(callers).await;
    assert_eq!(
        statements.most.load(Ordering::Relaxed),
        1,
        "one at a time again"
    );
}

#[tokio::test(start_paused = true)]
async fn where_as_many_hang_as_may_the_rest_goes_on_with_the_first_that_ends() {
    let (statements, writer) = writer();
    let hang = || {
        let (writer, later) = (writer.clone(), Deadline::after(Duration::from_secs(1)));
        tokio::spawn(async move { writer.write(TestRow::Hangs, later).await })
    };
    let mut hung = vec![];
    for _ in 0..MAX_FLUSHES {
        hung.push(hang());
        sleep(PATIENCE * 2).await;
    }
    let waits = tokio::spawn({
        let writer = writer.clone();
        async move { write_one(&writer).await }
    });
    sleep(PATIENCE * 2).await;
    assert!(!waits.is_finished(), "every flush hangs");
    statements.let_go.add_permits(1);
    assert!(waits.await.unwrap() < PATIENCE * 4);
    statements.let_go.add_permits(MAX_FLUSHES);
    for caller in hung {
        assert!(matches!(caller.await.unwrap(), Ok(Written::Run(()))));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_written_too_late_is_unclaimed_only_where_the_client_is_gone() {
    for (client_left, unclaimed) in [(true, 1), (false, 0)] {
        let (statements, writer) = writer();
        let soon = Deadline::after(Duration::from_millis(100));
        let caller = tokio::spawn(async move { writer.write(TestRow::Hangs, soon).await });
        sleep(Duration::from_millis(50)).await;
        if client_left {
            caller.abort();
            assert!(caller.await.unwrap_err().is_cancelled());
        } else {
            assert!(caller.await.unwrap().is_err(), "it goes elsewhere");
        }
        statements.let_go.add_permits(1);
        sleep(HEALTHY).await;
        assert_eq!(statements.unclaimed.load(Ordering::Relaxed), unclaimed);
    }
}
