//! All that failed is asked for again while the replicas that do it are killed, one after the other.

use std::time::Duration;

use holdfast_testbed::postgres::Cluster;
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls};

use crate::support::{ADMIN_TOKEN, CountingWorker, Process, TestConfig};

/// Recovery's calls of the worker at once: what a replica may repeat that was killed.
const AT_ONCE: usize = 4;
/// What one step of an order may make up for, in seconds.
const STEP: f64 = 0.25;
/// Postgres itself notes what becomes of each row, on its own clock.
const NOTE: &str = "CREATE TABLE noted (id uuid, status text, at timestamptz);
    GRANT INSERT ON noted TO holdfast_api;
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO noted VALUES (NEW.id, NEW.status, now()); RETURN NULL; END';
    CREATE TRIGGER note AFTER UPDATE OF status ON requests FOR EACH ROW
        WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION note()";
const FAIL: &str = "INSERT INTO requests (id, origin, status, error, attempts, completed_at)
    SELECT gen_random_uuid(), 'resilient', 'failed', 'refused', 20, now() FROM generate_series(1, $1)";

struct Plan {
    failed: usize,
    per_second: f64,
    kills: usize,
}

struct Scene {
    sql: Client,
    worker: CountingWorker,
    /// Both replicas, and what each is started with again.
    replicas: Vec<(TestConfig, Process)>,
    _cluster: Cluster,
}

impl Scene {
    async fn start(plan: &Plan) -> Self {
        let cluster = Cluster::start().await.unwrap();
        let (sql, connection) = tokio_postgres::connect(&cluster.url(), NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        sql.batch_execute(NOTE).await.unwrap();
        let failed = i32::try_from(plan.failed).unwrap();
        sql.execute(FAIL, &[&failed]).await.unwrap();
        let worker = CountingWorker::start(Duration::from_millis(20)).await;
        let policies = format!(
            "recovery.requeue_per_second = {:?}\nrecovery.max_concurrent = {AT_ONCE}\n",
            plan.per_second
        );
        let database = ([127, 0, 0, 1], cluster.port()).into();
        let first = TestConfig::new(&worker.url(), database, &policies);
        let mut replicas = Vec::new();
        for config in [first.of_a_replica(), first] {
            let process = Process::start(&config).await;
            replicas.push((config, process));
        }
        Self {
            sql,
            worker,
            replicas,
            _cluster: cluster,
        }
    }

    async fn number(&self, select: &str) -> usize {
        let row = self.sql.query_one(select, &[]).await.unwrap();
        usize::try_from(row.get::<_, i64>(0)).unwrap()
    }

    async fn order(&self) {
        let path = "requests/retry?status=failed";
        let address = self.replicas[0].1.address;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let ordered = client
            .post(format!("http://{address}/{path}"))
            .bearer_auth(ADMIN_TOKEN)
            .send()
            .await
            .unwrap();
        assert_eq!(ordered.status(), 202);
    }

    /// Kills the replica whose turn it is, and starts it again on its journal.
    async fn kill(&mut self) {
        let (config, process) = self.replicas.remove(0);
        process.kill().await;
        let process = Process::start(&config).await;
        self.replicas.push((config, process));
    }

    /// Seconds at which rows were owed again, by the clock of Postgres.
    async fn owed_again(&self) -> Vec<f64> {
        let at = "SELECT extract(epoch FROM at)::float8 FROM noted WHERE status = 'received' ORDER BY at";
        let rows = self.sql.query(at, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// The greatest number of rows in any stretch of time beyond what the pace allows in it.
fn beyond(pace: f64, times: &[f64]) -> f64 {
    let (mut least, mut most, mut before) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
    for at in times {
        least = least.min(before - pace * at);
        before += 1.0;
        most = most.max(before - pace * at - least);
    }
    most
}

/// What was seen, in words.
async fn all_is_done_once(plan: Plan) -> String {
    let mut scene = Scene::start(&plan).await;
    scene.order().await;
    let started = Instant::now();
    let longest = Duration::from_secs_f64(plan.failed as f64 / plan.per_second * 2.0 + 60.0);
    let mut killed = 0;
    loop {
        let done = scene
            .number("SELECT count(*) FROM requests WHERE status = 'done'")
            .await;
        if done == plan.failed {
            break;
        }
        assert!(started.elapsed() < longest, "{done} of {}", plan.failed);
        // All of them within the first half: to start again takes a replica a while on a busy machine.
        if killed < plan.kills && done > plan.failed * (killed + 1) / (2 * plan.kills + 2) {
            killed += 1;
            scene.kill().await;
        }
        sleep(Duration::from_millis(50)).await;
    }
    let took = started.elapsed();
    assert_eq!(killed, plan.kills);
    for status in ["received", "done"] {
        let noted = format!("FROM noted WHERE status = '{status}'");
        let times = scene.number(&format!("SELECT count(*) {noted}")).await;
        let rows = scene
            .number(&format!("SELECT count(DISTINCT id) {noted}"))
            .await;
        assert_eq!((times, rows), (plan.failed, plan.failed), "{status}");
    }
    assert_eq!(
        scene.number("SELECT count(*) FROM result_conflicts").await,
        0
    );
    let beyond = beyond(plan.per_second, &scene.owed_again().await);
    assert!(beyond <= plan.per_second * STEP + 1.0, "{beyond} too many");
    let calls = scene.worker.calls();
    let most = plan.failed + plan.kills * AT_ONCE;
    assert!((plan.failed..=most).contains(&calls), "{calls} calls");
    while scene.number("SELECT count(*) FROM requeue_orders").await > 0 {
        assert!(started.elapsed() < longest, "the order is still there");
        sleep(Duration::from_millis(50)).await;
    }
    format!(
        "{} failed requests, {killed} replicas killed: each owed again once and done once, in {took:.1?} at {} a second; \
        the worker was called {calls} times; at most {beyond:.1} rows beyond the pace in any stretch of time",
        plan.failed, plan.per_second
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_failed_is_done_once_at_the_pace_while_replicas_are_killed() {
    let seen = all_is_done_once(Plan {
        failed: 600,
        per_second: 80.0,
        kills: 3,
    });
    println!("{}", seen.await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "six and a half minutes: run by make requeue"]
async fn fifteen_thousand_that_failed_are_done_once_at_forty_a_second_while_replicas_are_killed() {
    let seen = all_is_done_once(Plan {
        failed: 15_000,
        per_second: 40.0,
        kills: 12,
    });
    println!("{}", seen.await);
}
