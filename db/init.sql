-- The tables of the system, whole: what the numbered files beside this one come to, for a new database. Runs once.

CREATE TABLE requests (
    -- UUIDv7, chosen by the API: the order of ids is the order of arrival.
    id              uuid        PRIMARY KEY,
    -- Which endpoint stored the row. Recovery never touches the naive side's orphans: they are the lesson.
    origin          text        NOT NULL CHECK (origin IN ('naive', 'resilient')),
    -- The body as received. `json`, not `jsonb`: the latter refuses "\u0000".
    payload         json,
    status          text        NOT NULL DEFAULT 'received' CHECK (status IN ('received', 'done', 'failed', 'cancelled')),
    worker_response json,
    -- Calls made to the worker that count: those of whoever recorded the end, and before it the request's own failures.
    attempts        integer     NOT NULL DEFAULT 0,
    error           text,
    received_at     timestamptz NOT NULL DEFAULT now(),
    completed_at    timestamptz,
    -- Until when somebody holds the request, on this database's clock; null: free to be claimed.
    lease_until     timestamptz,

    CHECK ((status = 'received') = (completed_at IS NULL))
);

-- Open work, newest first: small however large the table grows, because a finished row leaves it.
CREATE INDEX requests_open ON requests (id DESC) WHERE status = 'received' AND origin = 'resilient';
-- What an operator looks for, however rare it is.
CREATE INDEX requests_failed ON requests (id DESC) WHERE status = 'failed' AND origin = 'resilient';
-- Lists, newest first.
CREATE INDEX requests_done_newest ON requests (id DESC) WHERE status = 'done' AND origin = 'resilient';
-- What an operator gave up.
CREATE INDEX requests_cancelled ON requests (id DESC) WHERE status = 'cancelled' AND origin = 'resilient';

-- Which request a client's Idempotency-Key stands for. A table of its own: a key belongs to the first request that was
-- committed with it, whatever other requests were accepted under it meanwhile.
CREATE TABLE idempotency_keys (
    key        text        PRIMARY KEY,
    request_id uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The keys of requests that are being deleted.
CREATE INDEX idempotency_keys_request ON idempotency_keys (request_id);

-- Open work by when it is free to be claimed: claims look at nothing that somebody holds.
CREATE INDEX requests_claimable ON requests (coalesce(lease_until, '-infinity'), id)
    WHERE status = 'received' AND origin = 'resilient';

-- When Postgres got the end of a request, where that was later than the end itself: from the journal of a replica that was
-- cut off. What is kept is kept from then on.
ALTER TABLE requests ADD COLUMN recorded_at timestamptz;
CREATE INDEX requests_kept ON requests (coalesce(recorded_at, completed_at))
    WHERE status = 'done' AND origin = 'resilient';

-- Two ends of one request: the one that stands, and the other.
CREATE TABLE result_conflicts (
    request_id  uuid        NOT NULL,
    kept        json,
    kept_at     timestamptz NOT NULL,
    other       json,
    other_error text,
    other_at    timestamptz NOT NULL,
    noticed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (request_id, other_at)
);

-- At most one order of an operator: all that failed up to ordered_at is owed again, step by step; moved_at is how far the
-- pace has come.
CREATE TABLE requeue_orders (
    status     text        PRIMARY KEY CHECK (status = 'failed'),
    ordered_at timestamptz NOT NULL,
    moved_at   timestamptz NOT NULL
);
-- What was given up lately, for those who wait for its end.
CREATE INDEX requests_given_up ON requests (completed_at)
    WHERE status IN ('failed', 'cancelled') AND origin = 'resilient';

-- Which of the numbered files the schema has.
CREATE TABLE schema_migrations (
    version    integer     PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO schema_migrations (version) VALUES (1), (2), (3), (4);
