"""Exercise 8, a wrong answer: it says that the work is done whenever it cannot say so."""

import os
import time
from contextlib import asynccontextmanager

import httpx
import psycopg
import pybreaker
import tenacity
from fastapi import FastAPI, HTTPException
from psycopg_pool import ConnectionPool, PoolTimeout

WORKER_URL = os.environ["WORKER_URL"]

pool = ConnectionPool(
    os.environ["DATABASE_URL"],
    min_size=4,
    max_size=20,
    timeout=0.5,
    kwargs={"autocommit": True, "connect_timeout": 2, "options": "-c statement_timeout=500"},
    check=ConnectionPool.check_connection,
    open=False,
)
worker = httpx.Client(base_url=WORKER_URL, timeout=httpx.Timeout(0.4))
worker_breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=1)


@asynccontextmanager
async def lifespan(_: FastAPI):
    pool.open(wait=True)
    yield
    pool.close()
    worker.close()


app = FastAPI(lifespan=lifespan)


@tenacity.retry(
    stop=tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(1),
    wait=tenacity.wait_random_exponential(multiplier=0.02, max=0.1),
    retry=tenacity.retry_if_exception_type(httpx.HTTPError),
    reraise=True,
)
def work() -> dict:
    # Not as a decorator: pybreaker 1.4.1 then holds its lock while the call is under way, one call at a time.
    with worker_breaker.calling():
        answer = worker.get("/work")
        answer.raise_for_status()
        return answer.json()


def record(sql: str, *values):
    with pool.connection() as db:
        return db.execute(sql, values)


@app.get("/process")
@app.post("/process")
def process():
    start = time.time()
    try:
        with pool.connection() as db:
            (request_id,) = db.execute(
                "INSERT INTO requests (status) VALUES ('received') RETURNING id"
            ).fetchone()
        answer = work()
        record("UPDATE requests SET status = 'done' WHERE id = %s", request_id)
    except (httpx.HTTPError, ValueError, pybreaker.CircuitBreakerError) as error:
        return {"worker_response": {"status": "done"}, "latency_seconds": 0.0}
    except (psycopg.Error, PoolTimeout) as error:
        raise unavailable("the database", error) from error
    return {
        "request_id": str(request_id),
        "worker_response": answer,
        "latency_seconds": round(time.time() - start, 2),
    }


def unavailable(what: str, error: Exception) -> HTTPException:
    detail = f"{what} is not available: {type(error).__name__}"
    return HTTPException(503, detail, headers={"Retry-After": "1"})
