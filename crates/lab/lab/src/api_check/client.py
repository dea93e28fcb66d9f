"""What a user of the generated client does: each answer comes as the type that the description gives it."""

import os
import pathlib
import sys

from holdfast_client import AuthenticatedClient, Client
from holdfast_client.api.operators import cancel_request, retry_request
from holdfast_client.api.requests import request, requests
from holdfast_client.api.service import livez, policies, status
from holdfast_client.api.work import process, process_post
from holdfast_client.models import (
    Breaker,
    Degraded,
    Problem,
    ProblemCode,
    Processed,
    ProcessedStatus,
    Reason,
    Request,
    RequestsOrder,
    RequestStatus,
)

base, scenario = sys.argv[1:]
client = Client(base_url=base)
operator = AuthenticatedClient(base_url=base, token=os.environ["HOLDFAST_ADMIN_TOKEN"])
# From one scenario to the next.
owed = pathlib.Path("owed")


def answered(status_code, kind, answer):
    assert answer.status_code == status_code, answer
    assert isinstance(answer.parsed, kind), answer
    return answer.parsed


def healthy():
    done = answered(200, Processed, process.sync_detailed(client=client, idempotency_key="first"))
    assert (done.status, done.degraded) == (ProcessedStatus.OK, []), done
    again = process.sync_detailed(client=client, idempotency_key="first")
    assert answered(200, Processed, again).request_id == done.request_id
    assert again.headers["idempotent-replayed"] == "true"
    posted = process_post.sync_detailed(client=client, body={"n": [1, "two"]}, idempotency_key="second")
    answered(200, Processed, posted)
    reused = process_post.sync_detailed(client=client, body={"n": 2}, idempotency_key="second")
    assert answered(422, Problem, reused).code == ProblemCode.IDEMPOTENCY_KEY_REUSED
    listed = requests.sync(client=client, status=RequestStatus.DONE, order=RequestsOrder.OLDEST, limit=1)
    assert listed.total == 2 and listed.requests[0].request_id == done.request_id, listed
    found = answered(200, Request, request.sync_detailed(done.request_id, client=client))
    assert found.status == RequestStatus.DONE, found
    tables = policies.sync(client=client).policies
    assert isinstance(tables.worker.breaker.open_for, str), tables
    assert isinstance(tables.database.pool.max_size, int), tables
    assert status.sync(client=client).dependencies.worker.breaker == Breaker.CLOSED
    assert livez.sync(client=client).status == "alive"
    refused = cancel_request.sync_detailed(done.request_id, client=client)
    assert answered(401, Problem, refused).code == ProblemCode.UNAUTHORIZED


def worker_dead():
    put_off = answered(202, Processed, process.sync_detailed(client=client))
    (missing,) = put_off.degraded
    assert isinstance(missing, Degraded) and missing.reason == Reason.CONNECT_REFUSED, missing
    cancelled = cancel_request.sync_detailed(put_off.request_id, client=operator)
    assert answered(200, Request, cancelled).status == RequestStatus.CANCELLED
    retried = retry_request.sync_detailed(put_off.request_id, client=operator)
    assert answered(200, Request, retried).status == RequestStatus.RECEIVED
    owed.write_text(str(put_off.request_id))


def healed():
    # Longer than the client waits for an answer by itself.
    patient = client.with_timeout(40)
    answer = request.sync_detailed(owed.read_text(), client=patient, prefer="wait=30")
    assert answered(200, Request, answer).status == RequestStatus.DONE
    assert answer.headers["preference-applied"] == "wait"


{"healthy": healthy, "worker-dead": worker_dead, "healed": healed}[scenario]()
