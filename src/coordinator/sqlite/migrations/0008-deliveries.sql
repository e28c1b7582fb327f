-- A result is kept with what travelled beside it, checked, and settled or refused. `next_check_at`: while it is open; 0
-- until somebody begins to judge it. `has_content`: output and evidence are still there.
CREATE TABLE deliveries (
  ref TEXT PRIMARY KEY,
  job TEXT NOT NULL,
  rig TEXT NOT NULL,
  signed TEXT NOT NULL,
  delivered_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('delivered', 'checking', 'settled', 'refused')),
  checks INTEGER NOT NULL,
  next_check_at INTEGER,
  code TEXT,
  message TEXT,
  receipt TEXT UNIQUE REFERENCES receipts (id),
  ended_at INTEGER,
  has_content INTEGER NOT NULL DEFAULT 1,
  CHECK ((receipt IS NULL) = (state <> 'settled')),
  CHECK ((ended_at IS NULL) = (next_check_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (next_check_at, delivered_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX deliveries_with_content ON deliveries (ended_at) WHERE has_content = 1 AND ended_at IS NOT NULL;

-- Apart from the deliveries, whose rows are read often: an output may have megabytes.
CREATE TABLE delivery_contents (
  delivery TEXT PRIMARY KEY REFERENCES deliveries (ref),
  output TEXT NOT NULL,
  evidence TEXT NOT NULL
) STRICT;

-- A job has a state more, which its old table's check refuses. Results of before were judged as they came, and were signed
-- over more than is signed now: their deliveries are not kept.
CREATE TABLE jobs_now (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  model TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  work_hash TEXT NOT NULL,
  buyer TEXT NOT NULL,
  priority INTEGER NOT NULL,
  known_text TEXT,
  created_at INTEGER NOT NULL,
  deadline INTEGER,
  state TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'delivered', 'done', 'failed', 'cancelled')),
  attempts INTEGER NOT NULL,
  lease_rig TEXT,
  lease_expires_at INTEGER,
  lease_formula TEXT,
  lease_renewable_until INTEGER,
  lease_epoch INTEGER,
  lease_factor TEXT,
  declined_by TEXT,
  delivery TEXT,
  message TEXT,
  refusal TEXT,
  receipt TEXT UNIQUE REFERENCES receipts (id),
  CHECK (state NOT IN ('leased', 'delivered') OR lease_rig IS NOT NULL),
  CHECK (state <> 'delivered' OR delivery IS NOT NULL),
  CHECK (receipt IS NULL OR state = 'done')
) STRICT;
INSERT INTO jobs_now (sequence, id, kind, model, input_hash, work_hash, buyer, priority, known_text, created_at, deadline, state,
  attempts, lease_rig, lease_expires_at, lease_formula, lease_renewable_until, lease_epoch, lease_factor, declined_by,
  message, refusal, receipt)
SELECT sequence, id, kind, model, input_hash, work_hash, buyer, priority, known_text, created_at, deadline, state,
  attempts, lease_rig, lease_expires_at, lease_formula, lease_renewable_until, lease_epoch, lease_factor, declined_by,
  message, refusal, receipt
FROM jobs;

-- The inputs move too: they name the table of the jobs.
CREATE TABLE job_inputs_now (
  job TEXT PRIMARY KEY REFERENCES jobs_now (id),
  input TEXT NOT NULL
) STRICT;
INSERT INTO job_inputs_now (job, input) SELECT job, input FROM job_inputs;
DROP TABLE job_inputs;
DROP TABLE jobs;
ALTER TABLE jobs_now RENAME TO jobs;
ALTER TABLE job_inputs_now RENAME TO job_inputs;

CREATE INDEX jobs_queued ON jobs (model, kind, priority, sequence) WHERE state = 'queued';
CREATE INDEX jobs_leased ON jobs (lease_expires_at) WHERE state = 'leased';
CREATE INDEX jobs_due ON jobs (deadline) WHERE state = 'queued' AND deadline IS NOT NULL;
CREATE INDEX jobs_held ON jobs (lease_rig) WHERE state = 'leased';
