-- What recovery and retention need. Adds only: the release before it goes on running.

-- Open work by when it is free to be claimed: claims look at nothing that somebody holds.
CREATE INDEX IF NOT EXISTS requests_claimable ON requests (coalesce(lease_until, '-infinity'), id)
    WHERE status = 'received' AND origin = 'resilient';
