-- What operators order.

-- At most one order: all that failed up to ordered_at is owed again, step by step; moved_at is how far the pace has come.
CREATE TABLE IF NOT EXISTS requeue_orders (
    status     text        PRIMARY KEY CHECK (status = 'failed'),
    ordered_at timestamptz NOT NULL,
    moved_at   timestamptz NOT NULL
);

-- What was given up lately, for those who wait for its end.
-- Outside a transaction:
CREATE INDEX CONCURRENTLY IF NOT EXISTS requests_given_up ON requests (completed_at)
    WHERE status IN ('failed', 'cancelled') AND origin = 'resilient';
