-- What recovery and retention need.

-- When Postgres got the end of a request, where that was later than the end itself: from the journal of a replica that was
-- cut off. What is kept is kept from then on.
ALTER TABLE requests ADD COLUMN IF NOT EXISTS recorded_at timestamptz;

-- Two ends of one request: the one that stands, and the other.
CREATE TABLE IF NOT EXISTS result_conflicts (
    request_id  uuid        NOT NULL,
    kept        json,
    kept_at     timestamptz NOT NULL,
    other       json,
    other_error text,
    other_at    timestamptz NOT NULL,
    noticed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (request_id, other_at)
);

-- First open work by when it is free to be claimed: claims look at nothing that somebody holds. Then what retention deletes,
-- by the date it is kept from; the release before goes on running without its own, and deletes nothing meanwhile.
-- Outside a transaction:
CREATE INDEX CONCURRENTLY IF NOT EXISTS requests_claimable ON requests (coalesce(lease_until, '-infinity'), id)
    WHERE status = 'received' AND origin = 'resilient';
CREATE INDEX CONCURRENTLY IF NOT EXISTS requests_kept ON requests (coalesce(recorded_at, completed_at))
    WHERE status = 'done' AND origin = 'resilient';
DROP INDEX CONCURRENTLY IF EXISTS requests_done;
