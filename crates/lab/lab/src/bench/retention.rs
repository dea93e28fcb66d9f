//! Deleting what has been kept long enough: how many rows a second, and what live calls lose by it.
//!
//! One API is under full load in each round twice, right after each other: with nothing to delete, and with more old rows than
//! it can delete meanwhile, each with a key. Postgres is asked how many are gone, not the API.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::{Client, NoTls};

use super::Plan;
use super::ratio::Ratio;
use super::stage::{CALLERS, start};
use super::wrk::Wrk;
use crate::error::LabError;
use crate::figures::Figures;
use crate::output::Console;
use crate::postgres;
use crate::settings::Settings;
use crate::system::{ApiSpec, Part};
use crate::wait::Patience;

/// For each second of a measurement, and for one before it: several times what has to be deleted.
const ROWS_PER_SECOND: u32 = 30_000;
const FILL: &str = "WITH old AS ( \
        INSERT INTO requests (id, origin, status, worker_response, received_at, completed_at) \
        SELECT gen_random_uuid(), 'resilient', 'done', '{\"status\":\"done\"}', \
            now() - interval '2 days', now() - interval '2 days' \
        FROM generate_series(1, $1::int) RETURNING id \
    ) INSERT INTO idempotency_keys (key, request_id) SELECT id::text, id FROM old";
const LEFT: &str = "SELECT count(*) FROM requests WHERE status = 'done' AND origin = 'resilient' \
    AND coalesce(recorded_at, completed_at) < now() - interval '1 day'";
/// With nothing to delete the API looks every ten seconds.
const BEGUN_WITHIN: Duration = Duration::from_secs(15);
const GONE_WITHIN: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);

/// What one round came to.
struct Round {
    alone: Figures,
    beside: Figures,
    deleted_per_second: f64,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (alone, beside) = (self.alone.per_second, self.beside.per_second);
        let deleted = self.deleted_per_second;
        write!(
            f,
            "{alone:.0}/s alone, {beside:.0}/s while {deleted:.0} rows/s are deleted"
        )
    }
}

/// Measures, one round more than asked for to warm up, and prints.
pub(super) async fn run(
    plan: Plan,
    settings: &Settings,
    folder: &Path,
    console: Console,
) -> Result<(), LabError> {
    console.say("starting a database, a worker and an API");
    let api = vec![ApiSpec::new("api", "")];
    let system = start(api, &[], settings, folder).await?;
    let url = format!("{}/process", system.client(Part::Api(0))?.base());
    let wrk = Wrk::new(url, CALLERS, folder);
    let (sql, connection) =
        tokio_postgres::connect(&postgres::url(system.port(Part::Db)?), NoTls).await?;
    tokio::spawn(connection);
    one_round(&wrk, &sql, 1).await?;
    let mut rounds = Vec::new();
    for number in 1..=plan.rounds {
        let round = one_round(&wrk, &sql, plan.seconds).await?;
        console.say(format_args!("  round {number:<3} {round}"));
        rounds.push(round);
    }
    print(&rounds, console);
    Ok(())
}

async fn one_round(wrk: &Wrk, sql: &Client, seconds: u32) -> Result<Round, LabError> {
    let alone = wrk.run(seconds, None).await?;
    let rows = i64::from(ROWS_PER_SECOND * (seconds + 1));
    sql.execute(FILL, &[&i32::try_from(rows).unwrap_or(i32::MAX)])
        .await?;
    let before = come_to(sql, BEGUN_WITHIN, |left| left < rows).await?;
    let started = Instant::now();
    let beside = wrk.run(seconds, None).await?;
    let (after, took) = (left(sql).await?, started.elapsed());
    if after == 0 {
        return Err(void("there was nothing left to delete before its end"));
    }
    come_to(sql, GONE_WITHIN, |left| left == 0).await?;
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
    let deleted_per_second = (before - after) as f64 / took.as_secs_f64();
    Ok(Round {
        alone,
        beside,
        deleted_per_second,
    })
}

/// Waits until so many are left; how many.
async fn come_to(
    sql: &Client,
    within: Duration,
    reached: impl Fn(i64) -> bool,
) -> Result<i64, LabError> {
    let mut wait = Patience::new(within, POLL).begin();
    loop {
        let left = left(sql).await?;
        if reached(left) {
            return Ok(left);
        }
        if wait.is_over().await {
            let problem = format!("{left} old rows are there after {within:?}");
            return Err(void(&problem));
        }
    }
}

async fn left(sql: &Client) -> Result<i64, LabError> {
    Ok(sql.query_one(LEFT, &[]).await?.try_get(0)?)
}

fn void(problem: &str) -> LabError {
    LabError::Measurement(format!("void: retention: {problem}"))
}

fn print(rounds: &[Round], console: Console) {
    let of = |figure: fn(&Round) -> f64| {
        let figures: Vec<f64> = rounds.iter().map(figure).collect();
        Ratio::over(&figures)
    };
    let deleted = of(|round| round.deleted_per_second);
    console.print(format_args!("\nrows/s deleted {deleted:.0}"));
    let ratio = of(|round| round.beside.per_second / round.alone.per_second);
    console.print(format_args!("ratio with retention/without {ratio}"));
}
