"""The API of the course's first lab, as it is: store, call the worker, answer. Every failure is a 500, or no answer.

`GET /process` runs in FastAPI's pool of threads, a connection to Postgres for each call, as a first version does.
"""

import os
import time

import requests
import psycopg
from fastapi import FastAPI

DATABASE_URL = os.environ["DATABASE_URL"]
WORKER_URL = os.environ["WORKER_URL"]

app = FastAPI()


@app.get("/process")
def process():
    start = time.time()
    with psycopg.connect(DATABASE_URL, autocommit=True) as db:
        row = db.execute("INSERT INTO requests (status) VALUES ('received') RETURNING id").fetchone()
        # No limit: what the worker does not answer is waited for, as long as it takes.
        answer = requests.get(f"{WORKER_URL}/work").json()
        db.execute("UPDATE requests SET status = 'done' WHERE id = %s", row)
    return {"worker_response": answer, "latency_seconds": round(time.time() - start, 2)}
