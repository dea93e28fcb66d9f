"""Exercise 8, a solution: recorded first, under an id that follows from the key; what is not done is done later.

The worker may be called twice for a request whose end was not recorded; the row ends once.
"""

import asyncio
import os
import time
import uuid
from contextlib import asynccontextmanager, suppress

import httpx
from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse
from psycopg.errors import Error as DatabaseError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

LOOK_EVERY = 0.5
# Longer than any call is under way: rows younger than this have somebody who sees to them.
ABANDONED_AFTER = "3 seconds"
AT_ONCE = 16

pool = AsyncConnectionPool(
    os.environ["DATABASE_URL"], min_size=4, max_size=20, timeout=1, kwargs={"autocommit": True}, open=False
)
worker = httpx.AsyncClient(base_url=os.environ["WORKER_URL"], timeout=0.5)


@asynccontextmanager
async def lifespan(_: FastAPI):
    await pool.open(wait=True)
    recovery = asyncio.create_task(recover())
    yield
    recovery.cancel()
    await worker.aclose()
    await pool.close()


app = FastAPI(lifespan=lifespan)


@app.post("/process")
async def process(request: Request, idempotency_key: str = Header(default="")):
    start = time.time()
    key = idempotency_key or str(uuid.uuid4())
    request_id = uuid.uuid5(uuid.NAMESPACE_URL, key)
    body = (await request.body()).decode() or None
    try:
        await record("INSERT INTO requests (id, payload) VALUES (%s, %s) ON CONFLICT DO NOTHING", request_id, body)
    except (DatabaseError, PoolTimeout):
        return JSONResponse({"detail": "cannot be recorded"}, 503, headers={"Retry-After": "1"})
    told = {"request_id": str(request_id)}
    try:
        answer = await do(request_id)
    except (httpx.HTTPError, DatabaseError, PoolTimeout):
        return JSONResponse(told, 202, headers={"Retry-After": "1"})
    return told | {"worker_response": answer, "latency_seconds": round(time.time() - start, 2)}


async def do(request_id: uuid.UUID) -> dict:
    answer = await worker.get("/work")
    answer.raise_for_status()
    await record("UPDATE requests SET status = 'done' WHERE id = %s", request_id)
    return answer.json()


async def record(sql: str, *values):
    async with pool.connection() as db:
        await db.execute(sql, values)


async def recover():
    """Has done what nobody sees to any more, oldest first; stops at the first failure, and looks again later."""
    open_rows = (
        "SELECT id FROM requests WHERE status = 'received' "
        f"AND received_at < now() - interval '{ABANDONED_AFTER}' ORDER BY received_at LIMIT {AT_ONCE}"
    )
    while True:
        with suppress(httpx.HTTPError, DatabaseError, PoolTimeout):
            async with pool.connection() as db:
                rows = await (await db.execute(open_rows)).fetchall()
            await asyncio.gather(*(do(row[0]) for row in rows))
            if len(rows) == AT_ONCE:
                continue
        await asyncio.sleep(LOOK_EVERY)
