//! The course's API on axum: store, call the worker, answer. What stands between it and its dependencies is for each
//! binary to say. What cannot be done is refused with 503; nothing is promised.

use std::env;
use std::error::Error;
use std::time::Instant;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use deadpool_postgres::{Config, Pool, Runtime};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_postgres::NoTls;
use uuid::Uuid;

/// A call that came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Trouble {
    /// The dependency was never reached.
    #[error("it cannot be reached: {0}")]
    Unreached(String),
    /// It was, and failed.
    #[error("it failed: {0}")]
    Failed(String),
}

/// The two dependencies, as they are.
#[derive(Debug, Clone)]
pub struct Dependencies {
    pool: Pool,
    client: reqwest::Client,
    work: String,
}

/// What is asked of Postgres.
#[derive(Debug, Clone, Copy)]
pub enum Statement {
    /// A request has come.
    Insert(Uuid),
    /// It is done.
    Finish(Uuid),
}

/// The same dependencies, behind a policy.
pub trait Guarded: Clone + Send + Sync + 'static {
    /// One statement.
    fn record(&self, statement: Statement) -> impl Future<Output = Result<(), String>> + Send;
    /// One call of the worker.
    fn work(&self) -> impl Future<Output = Result<Value, String>> + Send;
}

impl Dependencies {
    /// From `DATABASE_URL` and `WORKER_URL`.
    pub fn from_environment() -> Result<Self, Box<dyn Error>> {
        let mut config = Config::new();
        config.url = Some(env::var("DATABASE_URL")?);
        Ok(Self {
            pool: config.create_pool(Some(Runtime::Tokio1), NoTls)?,
            client: reqwest::Client::builder().no_proxy().build()?,
            work: format!("{}/work", env::var("WORKER_URL")?),
        })
    }

    /// One statement, unguarded.
    pub async fn record(self, statement: Statement) -> Result<(), Trouble> {
        let unreached = |error: deadpool_postgres::PoolError| Trouble::Unreached(error.to_string());
        let session = self.pool.get().await.map_err(unreached)?;
        let (sql, id) = match statement {
            Statement::Insert(id) => {
                ("INSERT INTO requests (id) VALUES ($1) ON CONFLICT (id) DO NOTHING", id)
            }
            Statement::Finish(id) => ("UPDATE requests SET status = 'done' WHERE id = $1", id),
        };
        let prepared = session.prepare_cached(sql).await;
        let done = async { session.execute(&prepared?, &[&id]).await };
        done.await.map(drop).map_err(|error| Trouble::Failed(error.to_string()))
    }

    /// One call of the worker, unguarded.
    pub async fn work(self) -> Result<Value, Trouble> {
        let answer = self.client.get(&self.work).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        let body = async { answer?.json().await };
        body.await.map_err(|error: reqwest::Error| match error.is_connect() {
            true => Trouble::Unreached(error.to_string()),
            false => Trouble::Failed(error.to_string()),
        })
    }
}

/// Serves `/process` on `PORT` until SIGTERM.
pub async fn serve(api: impl Guarded) -> Result<(), Box<dyn Error>> {
    let process = move || {
        let api = api.clone();
        async move { answer(process(&api).await) }
    };
    let routes = Router::new().route("/process", get(process.clone()).post(process));
    let listener = TcpListener::bind(format!("127.0.0.1:{}", env::var("PORT")?)).await?;
    let mut ended = signal(SignalKind::terminate())?;
    let until = async move {
        ended.recv().await;
    };
    axum::serve(listener, routes).with_graceful_shutdown(until).await?;
    Ok(())
}

async fn process(api: &impl Guarded) -> Result<Value, String> {
    let start = Instant::now();
    let id = Uuid::from_u128(u128::from_be_bytes(random()));
    api.record(Statement::Insert(id)).await?;
    let answer = api.work().await?;
    api.record(Statement::Finish(id)).await?;
    let latency = start.elapsed().as_secs_f64();
    Ok(json!({"request_id": id.to_string(), "worker_response": answer, "latency_seconds": latency}))
}

/// From the hasher that the standard library seeds anew for each process and table.
fn random() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let half = || RandomState::new().hash_one(Instant::now()).to_be_bytes();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&half());
    bytes[8..].copy_from_slice(&half());
    bytes
}

fn answer(done: Result<Value, String>) -> Response {
    match done {
        Ok(body) => Json(body).into_response(),
        Err(detail) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            (status, [("retry-after", "1")], Json(json!({"detail": detail}))).into_response()
        }
    }
}
