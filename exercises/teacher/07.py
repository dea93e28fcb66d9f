"""Exercise 7, a solution: a time limit on the call, and one session of its own for each thread."""

import os
import time

import psycopg
import requests
from fastapi import FastAPI, HTTPException

DATABASE_URL = os.environ["DATABASE_URL"]
WORKER_URL = os.environ["WORKER_URL"]

app = FastAPI()


@app.get("/process")
def process():
    start = time.time()
    try:
        with psycopg.connect(DATABASE_URL, autocommit=True, connect_timeout=2) as db:
            row = db.execute("INSERT INTO requests (status) VALUES ('received') RETURNING id").fetchone()
            answer = requests.get(f"{WORKER_URL}/work", timeout=0.5).json()
            db.execute("UPDATE requests SET status = 'done' WHERE id = %s", row)
    except (requests.RequestException, psycopg.Error) as error:
        raise HTTPException(503, type(error).__name__, headers={"Retry-After": "1"}) from error
    return {"worker_response": answer, "latency_seconds": round(time.time() - start, 2)}
