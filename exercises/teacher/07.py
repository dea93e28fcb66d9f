"""Exercise 7, a solution: a time limit on the call, and a pool, which is kinder to a busy machine."""

import os
import time

import psycopg
import requests
from fastapi import FastAPI, HTTPException
from psycopg_pool import ConnectionPool, PoolTimeout

WORKER_URL = os.environ["WORKER_URL"]

pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=4, max_size=20, timeout=0.5, kwargs={"autocommit": True}, open=True)
app = FastAPI()


@app.get("/process")
def process():
    start = time.time()
    try:
        with pool.connection() as db:
            row = db.execute("INSERT INTO requests (status) VALUES ('received') RETURNING id").fetchone()
        answer = requests.get(f"{WORKER_URL}/work", timeout=0.5).json()
        with pool.connection() as db:
            db.execute("UPDATE requests SET status = 'done' WHERE id = %s", row)
    except (requests.RequestException, psycopg.Error, PoolTimeout) as error:
        raise HTTPException(503, type(error).__name__, headers={"Retry-After": "1"}) from error
    return {"worker_response": answer, "latency_seconds": round(time.time() - start, 2)}
