-- Requests that an operator gives up, and lists of finished requests that walk over no row of the naive endpoint.

ALTER TABLE requests DROP CONSTRAINT IF EXISTS requests_status_check;
ALTER TABLE requests ADD CONSTRAINT requests_status_check
    CHECK (status IN ('received', 'done', 'failed', 'cancelled')) NOT VALID;

-- Outside a transaction:
CREATE INDEX CONCURRENTLY IF NOT EXISTS requests_done_newest ON requests (id DESC)
    WHERE status = 'done' AND origin = 'resilient';
CREATE INDEX CONCURRENTLY IF NOT EXISTS requests_cancelled ON requests (id DESC)
    WHERE status = 'cancelled' AND origin = 'resilient';
