-- What the API may do, both endpoints, recovery and deletions: all it needs, and no more. Its role, which must be there, owns
-- nothing, so that it can neither change nor drop a table. Run by the tables' owner, once more after each migration.
GRANT SELECT, INSERT, UPDATE, DELETE ON requests TO holdfast_api;
GRANT SELECT, INSERT, DELETE ON idempotency_keys, result_conflicts TO holdfast_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON requeue_orders TO holdfast_api;
GRANT SELECT ON schema_migrations TO holdfast_api;
