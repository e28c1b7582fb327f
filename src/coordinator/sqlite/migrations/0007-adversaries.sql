-- The same work is known by its normalized input. Jobs from before keep the hash of their input.
ALTER TABLE jobs ADD COLUMN work_hash TEXT NOT NULL DEFAULT '';
UPDATE jobs SET work_hash = input_hash;
ALTER TABLE credited_work RENAME COLUMN input_hash TO work_hash;

-- How many synthetic jobs a rig was offered in the newest epoch in which it was offered one.
ALTER TABLE sample_turns ADD COLUMN epoch INTEGER NOT NULL DEFAULT -1;
ALTER TABLE sample_turns ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;

-- Synthetic jobs expire, and one that ended without a result is forgotten.
UPDATE jobs SET deadline = created_at + 3600000 WHERE buyer = 'sample' AND state IN ('queued', 'leased') AND deadline IS NULL;
DELETE FROM job_inputs WHERE job IN (SELECT id FROM jobs WHERE buyer = 'sample' AND state = 'failed' AND result_signature IS NULL);
DELETE FROM jobs WHERE buyer = 'sample' AND state = 'failed' AND result_signature IS NULL;

-- What a rig's known answers say about it.
CREATE TABLE rig_records (
  rig TEXT PRIMARY KEY,
  misses INTEGER NOT NULL,
  pauses INTEGER NOT NULL,
  paused_until INTEGER NOT NULL
) STRICT;
